"""Refusals: how they begin, and what only looks like one."""
# ruff: noqa: RUF001 - the signs of other scripts are meant

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_router import RoutingRequest
from langchain_router.checks import HeuristicCheck

REFUSAL = "a refusal, by its first words"


def reason(answer: str, asked: str = "Who won the cup in 1998?", told: str = "") -> str:
    messages = (SystemMessage(told), HumanMessage(asked)) if told else (HumanMessage(asked),)
    check = HeuristicCheck(wrong_language=False)
    return check.check(RoutingRequest(messages=messages), AIMessage(answer)).reason


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "I cannot say.",
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry \u2014 I can\u2019t do that.",
        "**Sorry**, I won't write this.",
        "I am unable to open links.",
        "Unfortunately, I do not have access to the internet.",
        "I apologize for the trouble, but I cannot look into that file.",
        "I must respectfully decline.",
        "As an AI language model, I cannot predict the future.",
        "As an AI assistant, I don't have access to it.",
        "Thanks for asking! I'm not allowed to talk about that.",
        "I do not have enough information to tell.",
        "Sorry.",
        "Lo siento, pero no puedo ayudar con eso.",
        "No lo sé.",
        "Je suis désolé, mais je ne peux pas répondre à cette question.",
        "En tant qu'IA, je ne suis pas capable de le savoir.",
        "Es tut mir leid, aber ich kann Ihnen dabei nicht helfen.",
        "Leider kann ich das nicht beantworten.",
        "Desculpe, mas não posso ajudar com isso.",
        "Mi dispiace, ma non posso aiutarti.",
        "Het spijt me, maar daar kan ik niet mee helpen.",
        "Przepraszam, ale nie mogę pomóc.",
        "Üzgünüm, bu konuda yardımcı olamam.",
        "Извините, я не могу помочь с этим.",
        "К сожалению, я не знаю.",
        "抱歉，我无法回答这个问题。",
        "作为一个人工智能，我不能这样做。",
        "申し訳ありませんが、お答えできません。",
        "죄송하지만 도와드릴 수 없습니다.",
        "عذرًا، لا أستطيع المساعدة.",
        "मुझे खेद है, मैं इसमें मदद नहीं कर सकता।",
    ],
)
def test_a_refusal_is_known_by_its_first_words(answer: str) -> None:
    assert reason(answer) == REFUSAL


@pytest.mark.parametrize(
    "answer",
    [
        "France won, and I cannot say that anybody was surprised.",
        "I can't wait to tell you: France!",
        "I cannot stress enough how good France was.",
        "I don't know about you, but I was for Brazil; France won.",
        "I'm sorry to hear that you missed it. France won.",
        "Unfortunately for Brazil, France won.",
        "Es tut mir leid, dass du es verpasst hast: Frankreich.",
        "Leider regnete es nicht, und Frankreich gewann.",
        "As an AI engineer, I follow other cups. France won this one.",
        "不能。",
        "Sorry to keep you waiting: France.",
        "The cup is what I cannot forget.",
    ],
)
def test_the_same_words_elsewhere_are_no_refusal(answer: str) -> None:
    assert reason(answer) != REFUSAL


def test_an_answer_that_goes_on_at_length_answers_after_all() -> None:
    answer = "I cannot look at the news, but this is how the cup went. "
    games = " ".join(
        f"In game {i}, the team of group {i % 7} played against number {i * i}." for i in range(40)
    )
    assert reason(answer + games) != REFUSAL
    assert reason(answer + games[:400]) == REFUSAL


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Decline this invitation politely.", "I'm sorry, but I can't come on Friday."),
        ("How do I apologize for being late?", "I'm sorry."),
        ('Write "Lo siento, no puedo" in English.', "I'm sorry, I can't."),
        ("Who won in 3021? If you are not sure, just say I don't know.", "I don't know."),
        ("What would you answer with \u201cI cannot\u201d?", "I cannot do what is impossible."),
        ("Write a poem about an old sailor.", "I cannot find the harbour any more."),
        ("Translate into English: je ne sais pas.", "I don't know."),
        ("请帮我写一封拒绝信。", "很抱歉，我不能参加这次会议。"),
    ],
)
def test_a_refusal_that_was_asked_for_passes(asked: str, answer: str) -> None:
    assert reason(answer, asked) != REFUSAL


def test_the_system_message_may_ask_for_it() -> None:
    told = "Use the context. If it does not hold the answer, reply 'I don't know'."
    assert reason("I don't know.", told=told) != REFUSAL
    assert reason("I don't know.", told="Use the context.") == REFUSAL


def test_a_user_who_says_that_he_cannot_does_not_ask_for_a_refusal() -> None:
    assert reason("I'm sorry, but I can't help with that.", "I can't get my code to run. Why?") == REFUSAL
