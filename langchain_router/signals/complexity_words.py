"""Words that make a request harder, grouped by the feature they count towards.

Each distinct word counts once. English first; then the commonest words of other languages, and for
scripts without clear word boundaries the stems that `STEMS` lists.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    "reasoning": """
        prove proof derive derivation deduce infer justify optimal optimise optimize tradeoff tradeoffs why
        analyze analyse evaluate compare contrast critique strategy design architect plan hypothesis
        implications paradox counterexample diagnose investigate reconcile rigorous formally simulate
        predict estimate demuestra analiza justifica diseña démontre démontrer analysez justifie concevoir
        pourquoi warum beweise begründe entwirf optimiere vergleiche analysiere demonstre analise projete
        otimize dimostra analizza progetta
    """,
    "constraints": """
        must without only exactly except unless cannot shall required requirement requirements constraint
        constraints avoid ensure never limit maximum minimum respectively guarantee debe sin máximo mínimo
        doit sans muss ohne höchstens mindestens deve sem devono senza
    """,
    "steps": """
        then next finally first second third fourth also additionally afterwards luego después ensuite puis
        danach anschließend depois então poi infine
    """,
    "orders": """
        write create explain describe list give calculate compute find compare implement design analyze
        analyse summarize summarise translate extract classify identify show prove derive evaluate discuss
        provide include add rewrite convert generate build test fix optimize refactor suggest recommend
        draft propose outline estimate
    """,
    "mathematics": """
        integral derivative theorem lemma polynomial eigenvalue matrix matrices probability expectation
        variance modulo prime factorial permutation combinatorial convergence differential equation
        equations vector logarithm asymptotic bijection topology manifold gradient stochastic integer
        integers remainder triangle circle perimeter percent ratio average ecuación équation gleichung
        equação equazione wahrscheinlichkeit
    """,
    "engineering": """
        concurrency concurrent thread threads threading mutex deadlock async asynchronous distributed
        scalable scalability latency throughput microservice microservices architecture kubernetes
        consistency replication sharding transaction transactions idempotent cache caching memory leak
        performance profiling recursion recursive complexity algorithm compiler lock race encryption
        authentication security migration refactor debug segfault pipeline kernel lifetimes generics monad
        dynamic backtracking graph
    """,
    "domain": """
        contract liability statute jurisdiction plaintiff clause compliance gdpr hipaa diagnosis
        differential dosage prognosis pathology pharmacology oncology etiology derivatives hedging valuation
        amortization volatility arbitrage liquidity quantum thermodynamics relativity entropy enthalpy
        stoichiometry isomer genome protein kinetics epistemology ontology macroeconomic elasticity
        econometric regression bayesian causal confounding turbulence semiconductor orbital spectroscopy
    """,
}

PHRASES: dict[str, str] = {
    "reasoning": """
        trade off, trade offs, step by step, root cause, pros and cons, show that, how would you,
        from first principles, best approach, what if, think carefully, big o, edge cases
    """,
    "constraints": """
        at most, at least, no more than, no fewer than, less than, more than, as long as, make sure,
        such that, subject to, do not, don't, como máximo, al menos, au moins, au plus, no máximo,
        pelo menos, al massimo, almeno
    """,
    "engineering": """
        race condition, thread safe, time complexity, design pattern, system design, load balancing,
        fault tolerant, event loop
    """,
    "domain": "case law, due diligence, clinical trial, balance sheet, cash flow, side effects",
}

STEMS: dict[str, str] = {
    "reasoning": """
        почему, докаж, проанализ, обоснуй, оптимальн, спроектир, сравни, لماذا, أثبت, حلل, قارن, صمم, क्यों,
        सिद्ध, विश्लेषण, तुलना, 为什么, 证明, 分析, 比较, 设计, 推导, 优化, なぜ, 証明, 比較, 設計,
        最適, 왜, 증명, 분석, 비교, 설계
    """,
    "constraints": """
        должн, не более, не менее, только, يجب, بدون, على الأقل, चाहिए, बिना, केवल, 必须, 不要, 至少,
        最多, 不能, 只能,
        必ず, 以内, 以上, なしで, 반드시, 없이
    """,
    "steps": "затем, сначала, потом, ثم, أولا, फिर, पहले, 首先, 然后, 最后, まず, 次に, 먼저",
    "mathematics": """
        уравнен, интеграл, вероятност, матриц, теорем, معادلة, احتمال, تكامل, समीकरण, प्रायिकता, 方程,
        积分, 概率,
        矩阵, 定理, 積分, 確率, 行列, 방정식, 확률
    """,
    "engineering": """
        алгоритм, поток, параллел, архитектур, خوارزمية, एल्गोरिद, 算法, 并发, 架构, 线程, 分布式,
        アルゴリズム, 並行, アーキテクチャ,
        알고리즘, 동시성
    """,
}
