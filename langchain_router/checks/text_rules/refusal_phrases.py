"""How refusals begin, in the commonest languages: parts of verbose regular expressions."""
# ruff: noqa: RUF001 - the signs of other scripts are meant

from __future__ import annotations

EXCUSES = r"""
    (?:(?:i'?m|i\ am|we're|we\ are)\ )?(?:so\ |very\ |really\ |truly\ )?(?:sorry|afraid)
    |i\ (?:sincerely\ )?apologi[sz]e|(?:my\ )?apologies|unfortunately|regrettably
    |lo\ siento(?:\ mucho)?|lamento|disculp[ae]|perdón|lamentablemente|desafortunadamente
    |(?:(?:je\ )?suis\ )?(?:vraiment\ )?désolée?|navrée?|malheureusement|je\ m'excuse
    |(?:es\ )?tut\ mir\ (?:sehr\ )?leid|leider|entschuldigung|entschuldige
    |(?:me\ )?desculpe|sinto\ muito|infelizmente
    |mi\ dispiace|purtroppo|spiacente
    |het\ spijt\ me|helaas
    |przepraszam|przykro\ mi|niestety
    |üzgünüm|maalesef|özür\ dilerim
    |извините|простите|прошу\ прощения|к\ сожалению|мне\ (?:очень\ )?жаль
    |(?:非常|很|十分)?抱歉|对不起|對不起|不好意思|很遗憾|很遺憾
    |申し訳(?:ありません|ございません)|すみません|ごめんなさい|残念ながら
    |죄송(?:합니다|하지만|해요|하게도)|미안(?:합니다|하지만|해요)|유감스럽게도|유감이지만
    |عذر(?:ا|ًا|اً)|آسف|أعتذر|للأسف
    |क्षमा\ करें|माफ़?\ (?:करें|कीजिए)|मुझे\ (?:खेद|अफ़सोस)\ है
"""
"""How an answer excuses itself before it refuses."""

_CANNOT = r"(?:\ simply|\ also|\ really)?\ (?:cannot|can'?t|can\ not|could\ not|couldn't|will\ not|won't)"

REFUSALS = (
    rf"i{_CANNOT}"
    r"""\ (?:directly\ |fully\ |actually\ |really\ |be\ able\ to\ )?
    (?:help|assist|provide|answer|compl(?:y|ete)|fulfil?l?|create|write|generate|access|share|offer|engage
        |discuss|support|determine|browse|view|open|process|respond|give|produce|do\ (?:that|this|so)
        |tell\ you|translate|summari[sz]e|continue|participate|accommodate|advise|recommend\ (?:a|any)
        |perform|comment|identify|verify|predict|see\ (?:the|any|your)|read\ (?:the|any|your))\b
    |i(?:'m|\ am)\ (?:currently\ |still\ )?(?:unable\ to|not\ able\ to|not\ (?:allowed|permitted|comfortable))
    |i\ (?:must|have\ to|need\ to|will\ have\ to)\ (?:respectfully\ )?(?:decline|refuse)
    |i\ (?:respectfully\ )?(?:decline|refuse)\ to
    |i\ (?:do\ not|don't)\ (?:feel\ comfortable|have\ (?:the\ ability|access|enough\ (?:information|context)))
    |as\ an?\ (?:ai|artificial\ intelligence|(?:large\ )?language\ model|virtual\ assistant|chatbot)
        (?:\ (?:language\ model|model|assistant|chatbot|system|program)){0,3}(?:\ \w+\ by\ [^,.\n]{1,30})?
        ,?\ i\ (?:can|am|do|don|won|will|lack|have\ no)[^.\n]{0,20}?(?:n't|not|unable|lack|have\ no)\b
        (?!\ (?:have\ )?(?:any\ )?(?:personal|feelings|emotions|opinions|preferences))
    |no\ (?:puedo|podré)\ (?:ayudar|proporcionar|responder|cumplir|hacer\ eso|acceder|generar
        |escribir|ofrecer)
    |no\ (?:me\ es\ posible|soy\ capaz\ de|estoy\ en\ condiciones)
    |como\ (?:una?\ )?(?:modelo\ de\ l|ia\b|inteligencia\ artificial|asistente)[^.\n]{0,60}\bno\b
    |je\ ne\ (?:peux\ pas|suis\ pas\ (?:en\ mesure|capable|autorisée?))\b
    |en\ tant\ qu(?:e\ |')(?:ia|modèle|assistante?|intelligence)\b[^.\n]{0,60}\b(?:ne|pas)\b
    |(?:ich\ kann|kann\ ich)\ (?:(?:dir|ihnen|euch|das|dies\w*|hier|dabei|damit|darauf|leider|ihre\w*|deine\w*
        |anfrage|frage|aufgabe|bitte)\ ){0,5}(?:nicht|keine?n?)\b
    |ich\ bin\ (?:leider\ )?nicht\ (?:in\ der\ lage|befugt)
    |als\ (?:ki\b|sprachmodell|künstliche)[^.\n]{0,80}\b(?:nicht|keine?n?)\b
    |(?:eu\ )?não\ (?:posso|consigo|sou\ capaz|tenho\ (?:acesso|permissão))
    |como\ (?:uma?\ )?modelo\ de\ linguagem[^.\n]{0,60}\bnão\b
    |non\ (?:posso\ (?:aiutar|fornire|rispondere|accedere|fare)|sono\ in\ grado|ho\ accesso)
    |in\ quanto\ (?:ia\b|modello|assistente|intelligenza)[^.\n]{0,60}\bnon\b
    |ik\ (?:kan|mag)\ (?:\w+\ ){0,4}(?:niet|geen)\b
    |als\ (?:ai\b|taalmodel)[^.\n]{0,60}\b(?:niet|geen)\b
    |nie\ (?:mogę|jestem\ w\ stanie|potrafię)
    |я\ не\ (?:могу|смогу|в\ состоянии|имею)
    |как\ (?:искусственный\ интеллект|языковая\ модель|ии)\b[^.\n]{0,60}\bне\b
    |我(?:无法|無法|不能|没办法|沒辦法|没有办法|不方便)|(?:无法|無法)(?:提供|回答|满足|完成|协助|帮助)
    |作为(?:一个|一名)?(?:人工智能|AI|语言模型)[^。\n]{0,30}(?:无法|不能|没有)
    |お(?:答え|応え|手伝い)(?:することは)?でき(?:ません|かねます)
    |لا\ (?:أستطيع|يمكنني)|لست\ قادر
    """
)
"""What only a refusal says."""

DOUBTS = (
    rf"i{_CANNOT}"
    r"""(?!\ (?:wait|stress|emphasi[sz]e|overstate|believe|imagine|thank|help\ but|agree\ more|recommend\ ))\b
    |i\ (?:do\ not|don't)\ (?:really\ |actually\ )?know\b(?!\ about\ you)
    |no\ (?:puedo|podré|lo\ sé|sé)\b|je\ ne\ (?:sais|peux)\b|ich\ weiß\ (?:es\ )?(?:leider\ )?nicht\b
    |(?:eu\ )?não\ sei\b|non\ (?:posso|so|lo\ so|riesco)\b|ik\ weet\ (?:het\ )?niet\b|nie\ wiem\b
    |(?:я\ )?не\ (?:знаю|могу)\b|我?不知道|(?:わか|分か)りません|知りません|(?:잘\ )?모르겠
    |لا\ (?:أعرف|أعلم)|मुझे\ नहीं\ पता
    """
)
"""What a refusal says, and a story too."""

AFTER_EXCUSES = r"""
    无法|無法|不能|没办法|不便|(?:でき|わかり|分かり)(?:ません|かね)|수\ 없|못합니다|모르겠|어렵습니다
    |لا\ (?:أستطيع|يمكنني|أعرف|أعلم)|لست\ قادر|नहीं|असमर्थ|yapamam|edemem|veremem|olamam|bilmiyorum
    |\b(?:kann|können|könnte|darf|weiß|kan|mag|weet)\b[^.!?\n]{0,60}?\b(?:nicht|keine?n?|niet|geen)\b
"""
"""What refuses at the end of a sentence that began with an excuse."""

TURNS = "but|however|pero|mais|aber|mas|ma|maar|но|ale|但是?|が|しかし"
"""Words between an excuse and what is refused."""

ABOUT_REFUSALS = r"""
    \b(?:refus|declin|reject|apolog|turn(?:ing)?\ (?:\w+\ )?down|say(?:ing)?\ (?:no|sorry)\b|excuses\b
        |an\ excuse|rechaz|disculp|negativa|absage|ablehn|entschuldig|recus|desculp|rifiut|scus|weiger
        |afwijz|отказ|извинен)
    |拒绝|拒絕|道歉|断り|謝罪|거절|사과
"""
"""A request that has to do with refusals."""

SAYS = r"""
    \b(?:say|saying|says|said|answer|respond|reply|write|output|return|state|print|diga|di|dis|dites|sage|sag
        |antworte)(?:\ (?:that|with|just|only|simply)){0,3}:?\s+
"""
"""Before words that a request tells the model to say."""

QUOTES = "\"'`\u201c\u201d\u00ab\u00bb\u201e\u2018\u300c"

OTHER_VOICES = r"""
    \b(?:poem|story|stories|dialog\w*|monolog\w*|lyrics|song|letter|speech|diary|novel|scene|script|caption
        |quote|sentence|translat\w+|rewrite|rephrase|paraphrase|role|pretend|persona|character|continue
        |complete|fill\ in|first\ person|correct|grammar|traduc\w*|tradui\w*|übersetz\w*|traduz\w*
        |poema|poème|gedicht|cuento|histoire|geschichte|перевед\w*|стих\w*)\b
    |翻译|翻譯|翻訳|訳し|번역|诗|故事|物語|作文
"""
"""A request in which the answer may speak as somebody else."""
