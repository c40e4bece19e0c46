"""How requests order texts of some length: parts of verbose regular expressions."""
# ruff: noqa: RUF001 - the signs of other scripts are meant

from __future__ import annotations

_VERBS = r"(?:write|compose|draft|author|create|prepare|generate|produce|give\ me)"

# Where a verb is an order: at the start of a sentence or behind a polite phrase. A story may tell of writing.
_ORDER = rf"""
    (?:(?:(?:^|[.!?:;\n\"*\#)]\s*|-\s+)
        (?:(?:please|kindly|now|then|can\ you|could\ you|would\ you|will\ you)\s+){{0,3}}
        |\b(?:please|kindly|you\ to|help\ me|help\ me\ to|let's|task\ is\ to|i'd\ like\ to|need\ to)\s+)
      {_VERBS}
      |\bi\ (?:need|want))
"""

# Words such as "me a long and moving", but not "a title for the", after which the text is not what is wanted.
_BETWEEN = r"""
    (?:(?!(?:for|about|of|on|to|from|in|that|which|with|outline|title|names?|list|ideas?|very|tiny)\b
         |summar|short|brief|mini|[\w-]*(?:word|sentence|line)\b)
       [\w'-]+\s+){0,5}?
"""
_NOT_THE_TEXT = r"""
    (?!'|[- ](?:titles?|headlines?|names?|ideas?|topics?|outline|prompts?|subjects?|address(?:es)?|numbers?
        |id|tags?|elements?|class(?:es)?|components?|tables?|models?|schemas?|endpoints?|api|pages?
        |functions?|buttons?|forms?|links?|types?|fields?|objects?|of\ the\ alphabet|[a-z]\b))
"""

LONG_TEXTS = rf"""
    {_ORDER}\s+{_BETWEEN}
        (?:essay|article|story|report|blog(?:\ post)?|tutorial|guide|speech|chapter|proposal|lesson\ plan
        |script|business\ plan|white\ ?paper|case\ study|literature\ review|novel|screenplay
        |press\ release|documentation)\b
        {_NOT_THE_TEXT}
    |\b(?:escrib[ea]\w*|redact[ae]\w*)\s+(?:\w+\s+){{0,4}}?
        (?:ensayo|artículo|cuento|historia|informe|discurso)\b
    |\b(?:écri[stv]\w*|rédige\w*)\s+(?:[-\w]+\s+){{0,4}}?
        (?:essai|article|histoire|rapport|discours|dissertation)\b
    |\b(?:schreib\w*|verfass\w*)\s+(?:\w+\s+){{0,4}}?(?:aufsatz|artikel|geschichte|bericht|rede|essay)\b
    |\b(?:escrev[ae]\w*|redij[ao]\w*)\s+(?:\w+\s+){{0,4}}?
        (?:redação|artigo|história|relatório|ensaio|discurso)\b
    |\bscriv[ia]\w*\s+(?:\w+\s+){{0,4}}?(?:saggio|articolo|storia|racconto|relazione|tema|discorso)\b
    |\bschrijf\s+(?:\w+\s+){{0,4}}?(?:essay|artikel|verhaal|verslag|toespraak)\b
    |\b(?:напиши\w*|составь\w*)\s+(?:\w+\s+){{0,4}}?
        (?:эссе|стать[юи]|рассказ|доклад|сочинение|отч[её]т|речь)\b
    |写(?:一|个|篇|份|\s)*[^，。？！\n]{{0,15}}(?:文章|作文|故事|报告|論文|论文|演讲稿|散文)
    |(?:エッセイ|作文|記事|物語|レポート|論文|スピーチ)を?[^、。\n]{{0,10}}(?:書い|書き|作成)
    |(?:에세이|기사|이야기|보고서|논문|연설문|글)[을를]?\s?(?:\w+\s)?(?:써|쓰|작성)
"""

SHORTER_TEXTS = rf"""
    {_ORDER}\s+{_BETWEEN}
        (?:short\ (?:story|essay|article|report|speech|guide|blog\ post)|cover\ letter|letter|e-?mail|poem
        |song|recipe|dialogue|conversation|biography|introduction)\b
        {_NOT_THE_TEXT}
    |\b(?:escrib[ea]\w*|écri[stv]\w*|schreib\w*|escrev[ae]\w*|scriv[ia]\w*|schrijf|напиши\w*)
        \s+(?:\w+\s+){{0,4}}?
        (?:carta|correo|poema|lettre|poème|courriel|brief|gedicht|e-?mail|lettera|poesia|письмо
        |стихотворение|стих)\b
    |写(?:一|封|首|\s)*[^，。？！\n]{{0,15}}(?:信|邮件|诗)
    |(?:手紙|メール|詩)を?[^、。\n]{{0,10}}(?:書い|書き|作成)
"""

EXPLANATIONS = r"""
    \b(?:explain|describe|discuss|analy[sz]e|elaborate|compare)\b[^.?!\n]{0,120}
        \b(?:in\ (?:great\ |more\ |full\ )?detail|step[- ]by[- ]step|thoroughly|comprehensively|at\ length)\b
    |\b(?:detailed|comprehensive|thorough|in-depth|step-by-step)\s+(?:\w+\s+){0,2}?
        (?:explanation|description|analysis|guide|overview|plan|comparison|account)\b
    |\b(?:explica|describe|analiza)\w*\b[^.?!\n]{0,120}\b(?:en\ detalle|detalladamente|paso\ a\ paso)
    |\b(?:expliqu|décri|analys)\w*\b[^.?!\n]{0,120}\b(?:en\ détail|étape\ par\ étape)
    |\b(?:erklär|beschreib|erläuter|analysier)\w*\b[^.?!\n]{0,120}
        \b(?:im\ detail|ausführlich|schritt\ für\ schritt)
"""

BRIEF = r"""
    \b(?:at\ most|(?:no|not)\ (?:more|longer)\ than|max(?:imum)?(?:\ of)?|under|below|up\ to
        |(?:less|fewer|shorter)\ than|within|not\ exceed\w*|limit\w*)\s+(?:\w+\s+){0,2}
        (?:words?|char\w*|sentences?|lines?|tokens?)\b
    |\b(?:in|with|using|just|only)\s+(?:a|an|one|1|a\ single|a\ few|a\ couple\ of)\s+
        (?:words?|sentences?|lines?|phrases?)\b
    |\b(?:one-line\w*|one-word|tweet|haiku|as\ short\ as|very\ short|briefly|concise\w*
        |keep\ it\ short|tl;?dr)\b
    |\b(?:only|just)\s+(?:print|output|answer|reply|return|give|write)\b
    |\b(?:single|multiple)[-\ ]choice\b
    |\b(?:print|output|answer|reply|respond|return|write)\s+(?:\w+\s+){0,2}?(?:only|just)\b
    |\bwithout\ explanation\b|\byes\ or\ no\b|\btrue\ or\ false\b|\bone\ of\ the\ following\b
    |以内|以下|之内|一句话|一文で|한\ ?문장
"""

NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}

COUNTED = rf"""
    \b(?:(?:in|using|with)\s+(?:about\s+|around\s+|approximately\s+|roughly\s+|exactly\s+)?
        |(?:at\ least|a\ minimum\ of|no\ (?:less|fewer)\ than|minimum)\s+
        |{_VERBS}\s+(?:(?:me|us|a|an|the|about|around|approximately|roughly|exactly|at\ least)\s+){{0,3}})
    (?P<count>\d[\d,.]{{0,6}}|{"|".join(NUMBERS)})[\s-]+(?P<unit>word|paragraph|page|sentence)s?\b
    (?!\s+(?:or\ (?:less|fewer|under)|max\w*|at\ most|limit|version|summar|title|headline|name|description))
    |写[^，。？！\n]{{0,20}}?(?P<signs>\d{{2,5}})\s*(?:个)?字(?!以内|以下|之内)
"""

ACKNOWLEDGEMENTS = r"""
    ok(?:ay|e)?|sure(?:\ thing)?|certainly|of\ course|absolutely|understood|got\ it|alright|all\ right
    |no\ problem|will\ do|done|noted|(?:i'd\ be\ )?(?:happy|glad)\ to\ help
    |here\ (?:you\ go|it\ is|is\ (?:the|your)\ \w+)
    |claro|vale|por\ supuesto|de\ acuerdo|entendido|listo|d'accord|bien\ sûr|entendu|voilà
    |klar|gerne|natürlich|verstanden|in\ ordnung|alles\ klar|com\ certeza|tudo\ bem
    |certo|va\ bene|d'accordo|ecco|prima|natuurlijk|begrepen|хорошо|конечно|понял[аи]?|ладно
    |好的|好|当然(?:可以)?|當然|明白了?|没问题|わかりました|承知しました|了解(?:しました)?
    |알겠습니다|물론입니다|물론이죠
"""

TASKS = rf"""
    (?:^|[.!?\n]\s*)(?:(?:please|kindly|now|can\ you|could\ you|would\ you)\s+){{0,2}}
    (?:{_VERBS}|explain|describe|list|compare|summari[sz]e|outline|design|plan|discuss|analy[sz]e
        |tell\ me\ about|implement|develop|suggest|recommend|provide|schreib\w*|erklär\w*|fasse|explica
        |escribe|expliqu\w+|écri[st]\w*)\b
"""
