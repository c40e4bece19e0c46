"""The commonest instruction words of languages other than English.

Spanish, French, German, Portuguese, Italian and Dutch are matched word by word, like English. Russian,
Arabic, Hindi, Chinese, Japanese and Korean are matched by stems anywhere in the text, because their words
are inflected, carry combining marks or stand without spaces.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    "translate": """
        traduce traduzca traducir tradúceme traducción traduis traduisez traduire traduction übersetze
        übersetzen übersetz übersetzung traduza traduzir tradução traduz traduci tradurre traduzione vertaal
        vertalen
    """,
    "summarize": """
        resuma resumir resúmeme resumen résume résumez résumer résumé zusammenfassen zusammenfassung fasse
        resumo resumido riassumi riassumere riassunto sintetizza samenvatten samenvatting synthétise
    """,
    "classify": """
        clasifica clasifique clasificar categoriza classe classez classer classifie classifier klassifiziere
        klassifizieren einordnen kategorisiere classifique classificar classifica classificare
    """,
    "extract": """
        extrae extraiga extraer extrais extrayez extraire extrahiere extrahieren extraia extrair estrai
        estrarre
    """,
    "sentiment": "sentimiento stimmung sentimento sentimenti",
    "rewrite": """
        reescribe reescriba reescribir reformula reformule reformulez reformuler réécris réécrire
        umschreiben formuliere umformulieren reescreva reescrever riscrivi riscrivere riformula parafrasea
        corrige corrija corrigez corriger korrigiere korrigieren correggi correggere herschrijf überarbeite
        überarbeiten verbessere
    """,
    "solve": """
        resuelve resuelva resolver calcula calcule calcular résous résoudre résolvez calculez calculer löse
        lösen berechne berechnen resolva risolvi risolvere calcolare calcola bereken
    """,
    "prove": """
        demuestra demuestre demostrar démontre démontrez démontrer prouver beweise beweisen prove demonstre
        dimostra dimostrare bewijs
    """,
    "foreign_make": """
        escribe escriba escribir crea crear genera implementa implementar escreva escrever crie écris
        écrivez écrire crée créer implémente schreibe schreib erstelle programmiere implementiere scrivi
        scrivere schrijf
    """,
    "code_noun": """
        función funciones programa código fonction programme funktion programm função funzione codice
        funktionen skript abfrage consulta functie
    """,
    "foreign_review": "depura depurar débogue déboguer debugge debuggen depure",
    "trouble": "fehler fehlermeldung erreur erreurs erro errores errore",
    "greeting": """
        hola gracias bonjour merci salut hallo danke olá obrigado obrigada ciao grazie buongiorno dank
    """,
}

PHRASES: dict[str, str] = {
    "summarize": """
        resume el, resume la, resume los, resume este, resume esta, fass den, fasse den, resume en,
        faça um resumo, fais un résumé, fai un riassunto, vat samen
    """,
    "how_many": """
        cuántos, cuántas, cuánto, combien, wie viele, wie viel, quantos, quantas, quanti, quante, hoeveel
    """,
    "small_talk": """
        cómo estás, comment vas, comment ça va, wie geht, como vai, come stai, buenos días, bom dia,
        guten morgen, guten tag, hoe gaat
    """,
    "tell_me": """
        qué es, por qué, qu'est ce que, pourquoi, was ist, warum, o que é, por que, che cos'è, perché,
        cuál es, quelle est, qual é, wat is, waarom
    """,
    "as_format": """
        en json, en markdown, als json, em json, in formato json, au format json, en una tabla, als tabelle,
        em tabela, in tabella, en formato json
    """,
}

STEMS: dict[str, str] = {
    "translate": "перевед, перевод, ترجم, अनुवाद, 翻译, 翻譯, 翻訳, 訳して, 译成, 번역",
    "summarize": """
        резюмир, кратко излож, кратко перескаж, обобщи, сократи, لخص, تلخيص, لخّص, सारांश, संक्षेप,
        总结, 總結,
        概括, 摘要, 要約, まとめて, 요약
    """,
    "classify": """
        классифицир, определи категори, صنف, صنّف, تصنيف, वर्गीकृत, वर्गीकरण, 分类, 分類, 归类, 분류
    """,
    "sentiment": "тональност, المشاعر, भावना, 情感, 感情分析, 감정",
    "extract": """
        извлек, выдели, выпиши, استخرج, استخراج, निकालें, निकालिए, निकालो, 提取, 抽取, 抽出, 추출
    """,
    "rewrite": """
        перепиши, перефразир, исправь, переформулир, أعد كتابة, أعد صياغة, صحح, फिर से लिख, सुधार, सुधारें,
        改写, 重写, 润色, 校对, 書き直, 言い換え, 添削, 校正, 다시 써, 교정
    """,
    "solve": """
        решите, реши, вычисли, рассчита, посчита, احسب, حل المعادلة, हल कर, गणना, 计算, 求解, 解方程,
        計算, 解いて, 계산,
        풀어
    """,
    "prove": "докажи, доказать, выведи формул, أثبت, برهن, सिद्ध, 证明, 證明, 推导, 証明, 증명",
    "how_many": "сколько, كم عدد, कितने, कितना, कितनी, 多少, 几个, いくつ, 何個, 몇",
    "foreign_make": """
        напиши, создай, реализуй, اكتب, أنشئ, लिखें, लिखिए, लिखो, बनाएं, 编写, 写一个, 写一段, 实现,
        作成, 書いて, 実装, 작성,
        만들어
    """,
    "code_noun": """
        функци, скрипт, программу, код, دالة, برنامج, كود, फ़ंक्शन, फंक्शन, प्रोग्राम, कोड, 函数, 代码,
        脚本, 程序,
        関数, コード, スクリプト, 함수, 코드
    """,
    "trouble": "ошибк, не работает, خطأ, त्रुटि, एरर, 报错, 错误, エラー, 動作しない, 오류",
    "greeting": """
        привет, здравствуй, спасибо, مرحبا, شكرا, السلام عليكم, नमस्ते, धन्यवाद, 你好, 谢谢, こんにちは,
        ありがとう, 안녕,
        감사
    """,
    "tell_me": """
        что такое, почему, расскажи, объясни, ما هو, ما هي, لماذا, اشرح, क्या है, क्यों, समझाइए, समझाएं,
        什么是, 为什么, 解释, 介绍, とは, なぜ, 教えて, 説明, 왜, 설명
    """,
    "as_format": "в формате json, в виде таблицы, بصيغة json, json प्रारूप, json格式, json形式, 表格",
}
