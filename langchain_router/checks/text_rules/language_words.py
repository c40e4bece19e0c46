"""The commonest small words of languages in Latin script, and what languages are called.

Small words stand in every sentence, whatever it is about, so a few of them tell a language. Words that two
languages share count for both. Words of one letter are left out: they name variables and choices too.
"""
# ruff: noqa: RUF001 - the signs of other alphabets are meant

from __future__ import annotations

SMALL_WORDS: dict[str, str] = {
    "English": """
        the of and to is are was were that it for with as on be this by from you your have has had not at
        which can will would or an if they how what why when where who do does did my me we our there their
        its but about into than then so all any some please
    """,
    "Spanish": """
        el la los las de que en un una es por con para del se su sus como más pero está están qué cómo cuál
        cuáles son lo al no mi te puedes dónde cuándo quién este esta esto hay muy también sobre entre ser
        tiene fue yo porque dime hace
    """,
    "French": """
        le la les des du et est une un que qui dans pour avec sur pas vous je tu nous il elle ce cette ces
        sont au aux plus par comment quel quelle quels pourquoi où mon ma mes ne se sa son ses être été fait
        aussi mais ou donc très peut d'un d'une c'est qu'est l'on de
    """,
    "German": """
        der die das und ist nicht ein eine einen einem einer dem den des mit von zu für auf sich auch wie
        was ich sie es im wird werden sind oder kann warum bei nach aus an als wenn dass wir ihr mein meine
        mir du hat haben war wurde über wo wer welche welcher zum zur nur noch aber bitte
    """,
    "Portuguese": """
        os as de que em um uma para com não do da dos das no na nos nas por como mais mas está são ao você
        qual quais seu sua seus suas meu minha também foi ser tem há onde quando quem porque isso este esta
        muito pelo pela entre
    """,
    "Italian": """
        il lo la gli le di che un una per con non del della dei delle sono come più ma nel nella si questo
        questa qual quale quali perché mi al alla ha hanno anche dove quando chi cosa suo sua essere stato
        tra dal dalla sul sulla da cui
    """,
    "Dutch": """
        de het een en van is dat niet op te zijn voor met die ik je hij zij wij wat hoe er aan ook als maar
        naar bij wordt worden deze waarom kan mijn uit over om door dan nog heeft hebben was waar wie welke
        of dit geen tot
    """,
    "Swedish": """
        och det att är en ett som för på av med inte den till jag du har om var vad hur kan de från vi men
        eller när där ska skulle blir detta varför mycket också
    """,
    "Danish": """
        og det at er en et som for på af med ikke den til jeg du har om var hvad hvordan kan de fra vi men
        eller når hvor skal ville bliver dette hvorfor meget også
    """,
    "Polish": """
        na że nie się jest do to jak co dla od przez po czy są ale który która które jego ich może gdzie
        kiedy kto dlaczego oraz był była być tego tym jakie mi
    """,
    "Turkish": """
        ve bir bu için ile ne nasıl değil çok da de mi mı olarak daha var gibi ben sen biz kadar ama veya
        neden hangi olan en şey nedir
    """,
    "Indonesian": """
        yang dan di itu dengan untuk dari pada adalah ini tidak dalam akan apa bagaimana saya anda ke oleh
        juga atau karena bisa mengapa seperti lebih kami mereka ada
    """,
    "Vietnamese": """
        là của và có không được cho trong một những các này với tôi bạn để người khi nào như thế thì đã sẽ
        vì sao gì
    """,
}

LANGUAGE_NAMES = r"""
    \b(?:english|spanish|french|german|portuguese|italian|dutch|swedish|danish|norwegian|finnish|polish|czech|slovak
    |hungarian|romanian|bulgarian|serbian|croatian|greek|turkish|russian|ukrainian|arabic|hebrew|persian|farsi|hindi
    |urdu|bengali|punjabi|tamil|telugu|marathi|gujarati|thai|vietnamese|indonesian|malay|tagalog|filipino|swahili
    |chinese|mandarin|cantonese|japanese|korean|latin|catalan|galician|basque|welsh|irish|gaelic|icelandic|estonian
    |latvian|lithuanian|slovenian|albanian|armenian|georgian|azerbaijani|kazakh|mongolian|nepali|sinhala|burmese|khmer
    |lao|amharic|hausa|yoruba|zulu|afrikaans|esperanto|pinyin|romaji|hinglish|bilingual|multilingual
    |language|languages|idioma|idiomas|lengua|langue|langues|sprache|sprachen|língua|lingua|taal|språk|język|dil|bahasa
    |inglés|español|castellano|francés|alemán|portugués|italiano|ruso|chino|japonés|coreano|árabe
    |anglais|espagnol|français|allemand|portugais|italien|russe|chinois|japonais|coréen|arabe|néerlandais
    |(?:englisch|spanisch|französisch|deutsch|portugiesisch|italienisch|russisch|chinesisch|japanisch|koreanisch
        |arabisch|türkisch|polnisch|niederländisch)\w*
    |inglês|espanhol|francês|alemão|português|russo|chinês|japonês|coreano|inglese|spagnolo|francese|tedesco
    |portoghese|cinese|giapponese|engels|spaans|frans|duits|nederlands|engelska|svenska|spanska|dansk|norsk
    |angielsk\w+|polsk\w+|niemieck\w+|ingilizce|türkçe|almanca|inggris|indonesia)\b
    |английск|русск|немецк|французск|испанск|китайск|японск|на\ языке|англійськ|українськ
    |英文|英语|英語|中文|汉语|漢語|国语|法语|法語|德语|德文|日语|日文|日本語|韩语|韩文|韓国語|西班牙语|俄语|スペイン語
    |フランス語|ドイツ語|中国語|语言|語言|言語|영어|한국어|일본어|중국어|프랑스어|스페인어|독일어|언어
    |الإنجليزية|العربية|الفرنسية|الإسبانية|لغة|अंग्रेज़ी|अंग्रेजी|हिंदी|हिन्दी|भाषा
"""
