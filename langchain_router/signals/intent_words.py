"""English words and phrases that hint at an intent, grouped under the tag that the rules use.

A tag is one idea ("translate", "code_noun"). Tags in `IMPERATIVE` count only where a verb can give an
order: at the start of a clause, or after a word such as "please", "to" or "you".
"""

from __future__ import annotations

from langchain_router.signals.lexicon import listed

LANGUAGES = """
    afrikaans albanian amharic arabic armenian basque bengali bulgarian burmese cantonese catalan
    chinese croatian czech danish dutch english esperanto estonian farsi filipino finnish french gaelic
    galician georgian german greek gujarati hausa hebrew hindi hungarian icelandic igbo indonesian irish
    italian japanese javanese kannada kazakh khmer korean kurdish lao latin latvian lithuanian malay
    malayalam maltese mandarin marathi mongolian nepali norwegian pashto persian polish portuguese
    punjabi romanian russian sanskrit serbian sinhala slovak slovenian somali spanish swahili swedish
    tagalog tamil telugu thai tibetan turkish ukrainian urdu uzbek vietnamese welsh yoruba zulu
"""

SHAPES = """
    json, xml, yaml, csv, markdown, latex, html, table, toml, bibtex, bullet points, bulleted list,
    numbered list, tabular
"""

WORDS: dict[str, str] = {
    "translate": "translate translates translated translating translation translations translator",
    "summarize": """
        summarize summarise summarized summarised summarizing summarising summary summaries summarization
        tldr synopsis recap takeaways gist condense
    """,
    "classify": """
        classify categorize categorise classifying categorizing classification classifier
    """,
    "sentiment": "sentiment polarity toxicity spam",
    "category": "category categories genre topic topics label labels rating",
    "judged_text": "review reviews comment comments tweet tweets feedback statement headline ticket",
    "verdict": """
        positive negative neutral toxic spam sarcastic ironic offensive urgent stars rating star
    """,
    "extract": "extract extracted extracting extraction extracts",
    "keywords": "keywords keyword keyphrases entities triples",
    "prove": "prove derive disprove deduce infer",
    "solve": "solve calculate compute evaluate decompose factor factorize factorise simplify",
    "mathematics": """
        equation equations integral derivative polynomial theorem lemma probability matrix vector triangle
        rectangle radius circumference percent percentage fraction algebra geometry trigonometry logarithm
        modulo arithmetic velocity acceleration molar isomer voltage
    """,
    "puzzle": "puzzle riddle paradox syllogism premise premises hypothesis",
    "rewrite": """
        rewrite rephrase paraphrase reword proofread polish rewriting paraphrasing rephrasing proofreading
        reformulate restate reformat edit revise redraft
    """,
    "correct": "correct fix improve enhance refine simplify shorten",
    "grammar": """
        grammar grammatical grammatically spelling punctuation tone wording typo typos clarity readability
        fluency concise formal informal
    """,
    "convert": """
        convert reformat format transform restructure turn organize organise arrange present
    """,
    "data_format": "json xml yaml csv markdown latex toml html table bullets bibtex rtf",
    "greeting": "hi hello hey thanks hiya howdy greetings bye goodbye welcome lol",
    "advice": """
        recommend recommendation recommendations advice suggest suggestions tips opinion feel think
    """,
    "ask": """
        what who when where which why how is are do does did can could would should was were
    """,
    "make": """
        write create generate implement build develop code make produce design draft give provide show need
        want program
    """,
    "implement": "implement",
    "code_noun": """
        function functions script scripts program code class method query queries regex app application
        component algorithm snippet module endpoint macro bot website webpage api crud cli formula sql
        dockerfile makefile plugin extension unittest parser scraper decorator middleware hook
    """,
    "tech": """
        python javascript java typescript sql mysql postgresql postgres sqlite mongodb react django flask
        pandas numpy php laravel symfony git docker kubernetes linux bash shell powershell angular vue node
        nodejs npm spring android ios swift kotlin rust golang css jquery flutter graphql webpack terraform
        ansible redis kafka hadoop tensorflow pytorch keras matlab excel vba vscode xcode gradle maven
        haskell scala perl ruby rails firebase aws azure lambda selenium jest pytest ggplot dplyr dataframe
        hibernate jpa wordpress nginx apache ubuntu asyncio nextjs axios oauth jwt
    """,
    "program_words": """
        array arrays string strings variable variables loop column columns dataframe object objects list
        table file files button url request server database json command directory parameter argument
        arguments component compiler pointer library package
    """,
    "review": "review optimize optimise troubleshoot",
    "refactor": "refactor debug lint refactoring debugging",
    "explain": "explain explaining explanation describe clarify",
    "trouble": """
        error errors exception traceback bug bugs fails failed failing failure crash crashes crashing broken
        undefined deprecated segfault stacktrace warning unexpected nullpointerexception typeerror
        valueerror syntaxerror keyerror attributeerror importerror
    """,
    "wrong": "wrong incorrect problem issue mistake unable cannot stuck",
}
"""Single words by tag, separated by spaces."""

PHRASES: dict[str, str] = {
    "to_language": ", ".join(
        f"to {name}, into {name}, {name} to, {name} translation" for name in LANGUAGES.split()
    ),
    "in_language": ", ".join(f"in {name}" for name in LANGUAGES.split()),
    "as_format": ", ".join(
        f"{before} {shape}"
        for before in ("as", "in", "to", "into", "valid", "as a", "in a", "to a", "into a", "an", "the")
        for shape in listed(SHAPES)
    ),
    "say": """
        how do you say, how to say, how would you say, how do i say, what does it mean in
    """,
    "summarize": """
        sum up, tl;dr, key points, main points, main ideas, main idea, key takeaways, in a nutshell,
        in one sentence, in a sentence, in two sentences, in a few sentences, most important points,
        executive summary, boil down, central idea, meeting notes, meeting minutes, action items, in short,
        bullet point summary, short version
    """,
    "headline": """
        a title, a headline, title for, headline for, suitable title, write a title, an abstract,
        title of this, headline of
    """,
    "classify": """
        positive or negative, negative or positive, which category, what category, which class,
        what type of, which type, which genre, what genre, what kind of, one of the following categories,
        yes or no, positive negative or neutral, main topic, which topic, what topic, assign a, belongs to,
        best describes, spam or not, is the following, label the, tag the, label each, tag each, as either,
        which label, what label, main subject, main subjects, sort into, group the, group these, in one of,
        rate the, how would you rate, how many stars, identify the topic
    """,
    "sentiment": "how does the author feel, how does the writer feel, hate speech",
    "extract": """
        pull out, find all, list all, list every, key facts, key information, key words, key phrases,
        named entities, find the names, get the names, identify all, pick out, names of all, parse out,
        retrieve the, what information
    """,
    "from_text": """
        from the text, from this text, from the following, in the text, in the passage, the passage,
        based on the text, based on the passage, according to the text, from this, according to the passage,
        according to the article, following paragraph, mentioned in, the answer to the question,
        answer the question, answer for the question, this paragraph, the following passage,
        from the document, from the article, in the article, in this text
    """,
    "how_many": """
        how many, how much, how far, how fast, how long will, how long does, how old,
        what is the probability, what is the total, what is the value, what is the sum, how tall,
        what percent, what percentage, what fraction, find the value, find the number, the total number,
        at what, the average
    """,
    "reason": """
        true or false, step by step, show that, show your work, show your reasoning, prove that, logical,
        which of the following, fill in the blank, multiple choice, correct answer, if and only if,
        best answer, explain your reasoning, must be true, can we conclude, does it follow, which statement,
        none of the above, all of the above, the odd one out, next number, fill in the missing, choose the,
        what comes next, trade offs, root cause
    """,
    "rewrite": """
        make it more, make this more, make it sound, make this sound, sound more, more formal,
        more professional, more concise, clean up, fix the grammar, correct the grammar, write better,
        better version, in other words, copy edit, in the style of, in your own words, easier to read,
        easy to understand, different words, more readable, improve the writing, improve this, improve my,
        improve the following, different way, check the grammar, check grammar, grammar check,
        grammatically correct, fix grammar, edit the following, edit this, plain english, plain language,
        say this
    """,
    "following_text": """
        following text, following sentence, following paragraph, this text, this sentence, this paragraph,
        my email, this email, the text, the sentence, following email, my essay, this essay,
        these sentences, my writing, this passage, this article, following article, the article, this post,
        following post, this draft, the draft, following passage, following phrase, this phrase, my message,
        this message, my cover letter, this letter, my resume
    """,
    "strict_format": """
        following format, this format, specific format, exact format, json object, json format, xml format,
        format specifications, formatted as, json structure, well formed, formatting guidelines,
        format guidelines, title case, sentence case, adhere to, placeholder, follow the format,
        structured as follows, xml document, yaml file, markdown table, format requirements,
        formatting rules, the format, formatting requirements, specified format, standard format,
        output format, format should, date format, indentation
    """,
    "small_talk": """
        how are you, good morning, good evening, good night, thank you, what's up, nice to meet,
        who are you, are you, do you, your name, tell me a joke, let's chat, let's talk, i feel, i'm bored,
        im bored, you think, your favorite, your favourite, talk to me
    """,
    "advice": """
        should i, what should, what do you think, any advice, how can i, how do i, best way to, how to,
        tips for, pros and cons, help me decide, is it worth, what are the best, what are some,
        what is the best, your opinion, give me some, how should i, can you suggest
    """,
    "tell_me": """
        tell me, what is a, what is an, what are, what is the difference, difference between, explain to me,
        who is, who was, what happened, why do, why does, why is, why are, what does, what's the,
        explain what, explain how, explain why, history of, i want to know
    """,
    "role_play": """
        act as, pretend, role play, roleplay, you are now, imagine you, i want you to act, as if you were,
        stay in character
    """,
    "make_code": """
        write code, write a function, code for, code to, code that, function that, script that, script to,
        program that, program to, query to, query that, function to, method that, complete the function,
        complete the code, code example, sample code, using python, in python, with python, in javascript,
        in java, in rust, in php, in sql, in typescript, in bash, in swift, in react, in pandas,
        using pandas, shell script, regular expression, your code, unit tests for, boilerplate,
        code snippet
    """,
    "how_code": """
        how to, how can i, how do i, how do you, is there a way, is there any way, how could i,
        how should i, best way to, is it possible, i want to, i'd like to, i need to, i would like to,
        what is the best, how would i, i am trying to, i'm trying to
    """,
    "trouble": """
        doesn't work, does not work, not working, didn't work, don't work, doesn't seem, what is wrong,
        what's wrong, what am i doing, am i missing, can't figure, no effect, error message, stack trace,
        stopped working, returns null, not found, isn't working, not able to, why is this, why does this,
        why am i, i get, i'm getting, i am getting, any idea, any ideas, keeps, instead of, does nothing,
        won't, is not, memory leak, code smell, performance issue, too slow, exit code, not recognized
    """,
    "this_code": """
        this code, the code, my code, following code, this function, the function, this query, the query,
        this script, my script, code below, code above, this program, above code, following function,
        this class, this method, my query, this snippet, this line, this regex, following script,
        following query, this sql, pull request, this diff, this python
    """,
    "code_review": """
        code review, review my code, review this code, find the bug, fix the bug, fix this
    """,
}
"""Phrases by tag, separated by commas."""

ROLES: dict[str, str] = {
    "role_translation": "translator, interpreter, localizer",
    "role_summarization": "summarizer, summariser, note taker, minute taker",
    "role_classification": "classifier, router, moderator, labeler, triage",
    "role_extraction": "extractor, parser, data extraction, information extraction",
    "role_formatting": "proofreader, copy editor, copyeditor, editor, formatter, rewriter",
    "role_code_review": "code reviewer, debugger, senior reviewer",
    "role_code_generation": "programmer, coding assistant, software engineer, developer",
    "role_reasoning": "mathematician, math tutor, logician, problem solver",
    "role_conversation": "companion, friendly chatbot, support agent",
}
"""What a system message says the model is."""

IMPERATIVE = frozenset(["convert", "correct", "explain", "greeting", "implement", "make", "review", "solve"])

LEAD_INS = frozenset(
    listed(
        """
        also, and, be, by, can, could, finally, first, for, help, i, is, job, just, kindly, let's,
        like, may, me, must, next, not, now, or, please, pls, should, task, then, to, we, will,
        would, you, your
        """
    )
)
"""Words after which a verb may still be an order."""
