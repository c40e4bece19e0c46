from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing import (
    ReplayOutcome,
    ReplayRow,
    SimulatedModel,
    SimulatedPrompt,
    SimulatedProvider,
    probability_right,
)
from langchain_router.testing.recorded import NO_TEXT

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

SMALL = SimulatedModel(
    name="small",
    input_usd_per_million=0.1,
    output_usd_per_million=0.4,
    skill={"reasoning": 0.3},
    context_tokens=500,
)
LARGE = SimulatedModel(
    name="large", input_usd_per_million=3, output_usd_per_million=15, skill={"reasoning": 0.9}
)
SUMS = tuple(
    SimulatedPrompt(
        text=f"What is {n} plus {n}?", intent="reasoning", difficulty=n / 200, answer=f"The sum is {2 * n}."
    )
    for n in range(200)
)
WEATHER = {
    "name": "get_weather",
    "description": "Get the weather at a location.",
    "parameters": {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
    },
}
ADD = {
    "name": "add",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}


@pytest.fixture
def provider() -> Iterator[SimulatedProvider]:
    with SimulatedProvider([SMALL, LARGE], prompts=SUMS) as running:
        yield running


@pytest.fixture
def client(provider: SimulatedProvider) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=provider.base_url, timeout=5) as opened:
        yield opened


def ask(client: httpx.Client, content: Any = "Hello", *, model: str = "small", **body: Any) -> httpx.Response:
    messages = body.pop("messages", [{"role": "user", "content": content}])
    return client.post("/chat/completions", json={"model": model, "messages": messages, **body})


def message(response: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = response.raise_for_status().json()["choices"][0]["message"]
    return found


def calls(response: httpx.Response) -> list[tuple[str, Any]]:
    functions = [call["function"] for call in message(response).get("tool_calls", ())]
    return [(function["name"], json.loads(function["arguments"])) for function in functions]


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    *data, last = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert last == "[DONE]"
    return [json.loads(line) for line in data]


def functions(*tools: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "function", "function": tool} for tool in tools]


# The wire format


def test_a_completion_has_every_field_that_clients_read(client: httpx.Client) -> None:
    body = ask(client).json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "small"
    assert body["id"].startswith("chatcmpl-")
    assert body["system_fingerprint"]
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (
        body["usage"]["total_tokens"]
        == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
        > 0
    )
    assert body["id"] != ask(client).json()["id"]


def test_a_stream_says_what_the_json_says_and_bills_the_same(client: httpx.Client) -> None:
    whole = ask(client, "Tell me more").json()
    response = ask(client, "Tell me more", stream=True, stream_options={"include_usage": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    first, *middle, finish, usage = chunks(response)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    said = "".join(chunk["choices"][0]["delta"]["content"] for chunk in middle)
    assert said == whole["choices"][0]["message"]["content"]
    assert finish["choices"][0]["delta"] == {}
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])


def test_a_stream_holds_no_usage_unless_asked(client: httpx.Client) -> None:
    assert all("usage" not in chunk for chunk in chunks(ask(client, stream=True)))


def test_models_are_listed_and_found_by_name(client: httpx.Client) -> None:
    assert [card["id"] for card in client.get("/models").json()["data"]] == ["small", "large"]
    assert client.get("/models/large").json()["id"] == "large"
    assert client.get("/models/absent").status_code == 404


def test_max_tokens_cuts_the_answer_and_says_so(client: httpx.Client) -> None:
    whole = message(ask(client))["content"]
    body = ask(client, max_tokens=2).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == 2
    assert whole.startswith(body["choices"][0]["message"]["content"])


def test_an_answer_ends_before_its_stop_text(client: httpx.Client) -> None:
    whole = message(ask(client))["content"]
    word = whole.split()[2]
    assert message(ask(client, stop=[word]))["content"] == whole[: whole.index(word)]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "nobody"}]}, "messages"),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "c"}]},
                    {"role": "user", "content": "x"},
                ]
            },
            "messages",
        ),
        ({"tools": []}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        (
            {"tools": functions(ADD), "tool_choice": {"type": "function", "function": {"name": "sub"}}},
            "tool_choice",
        ),
        ({"response_format": {"type": "xml"}}, "response_format"),
        ({"response_format": {"type": "json_object"}}, "messages"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"n": 2}, "n"),
    ],
)
def test_what_the_real_api_refuses_is_refused_with_the_field_at_fault(
    client: httpx.Client, body: dict[str, Any], param: str
) -> None:
    response = ask(client, **body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.json()["error"]["param"] == param


def test_a_body_that_is_not_json_is_refused(client: httpx.Client) -> None:
    assert client.post("/chat/completions", content=b"{").status_code == 400
    assert client.post("/nowhere", content=b"{}").status_code == 404


def test_a_prompt_longer_than_the_context_is_a_real_context_error(client: httpx.Client) -> None:
    error = ask(client, "word " * 1_000).json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert "maximum context length is 500 tokens" in error["message"]
    assert ask(client, "word " * 1_000, model="large").status_code == 200


# Tools and structured output


def test_a_tool_that_the_text_names_is_called_with_what_the_text_says(client: httpx.Client) -> None:
    magic = {
        "name": "magic",
        "parameters": {"properties": {"input": {"type": "integer"}}, "required": ["input"]},
    }
    response = ask(client, "What is the value of magic(3)? Use the tool magic.", tools=functions(magic))
    assert calls(response) == [("magic", {"input": 3})]
    assert message(response)["content"] is None
    assert response.json()["choices"][0]["finish_reason"] == "tool_calls"


def test_a_tool_is_called_when_the_text_is_about_it_and_not_otherwise(client: httpx.Client) -> None:
    about = ask(client, "How is the weather in San Francisco, CA?", tools=functions(ADD, WEATHER))
    assert calls(about) == [("get_weather", {"location": "San Francisco, CA"})]
    assert calls(ask(client, "Good morning!", tools=functions(ADD, WEATHER))) == []


def test_several_tools_are_called_at_once_unless_forbidden(client: httpx.Client) -> None:
    text = "Run add(1, 2), then add(3, 4), then get_weather for Oslo"
    wanted = [("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4}), ("get_weather", {"location": "Oslo"})]
    assert calls(ask(client, text, tools=functions(ADD, WEATHER))) == wanted
    assert calls(ask(client, text, tools=functions(ADD, WEATHER), parallel_tool_calls=False)) == wanted[:1]


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["get_weather"]),
        ("any", ["get_weather"]),
        ({"type": "function", "function": {"name": "add"}}, ["add"]),
    ],
)
def test_tool_choice_decides_over_the_text(client: httpx.Client, choice: Any, called: list[str]) -> None:
    response = ask(client, "How is the weather?", tools=functions(WEATHER, ADD), tool_choice=choice)
    assert [name for name, _ in calls(response)] == called


def test_streamed_tool_calls_come_in_pieces_that_add_up(client: httpx.Client) -> None:
    body: dict[str, Any] = {"content": "add(12345678, 2) and add(3, 4)", "tools": functions(ADD)}
    whole = message(ask(client, **body))["tool_calls"]
    added: dict[int, dict[str, Any]] = {}
    for chunk in chunks(ask(client, stream=True, **body)):
        for piece in chunk["choices"][0]["delta"].get("tool_calls", ()):
            if "id" in piece:
                added[piece["index"]] = {"name": piece["function"]["name"], "arguments": ""}
            added[piece["index"]]["arguments"] += piece["function"]["arguments"]
    assert list(added.values()) == [call["function"] for call in whole]


def test_after_a_tools_result_the_answer_contains_it(client: httpx.Client) -> None:
    asked = {"role": "user", "content": "How is the weather in Oslo?"}
    call = message(ask(client, messages=[asked], tools=functions(WEATHER)))
    result = {"role": "tool", "content": "snow, -3 °C", "tool_call_id": call["tool_calls"][0]["id"]}
    answer = message(ask(client, messages=[asked, call, result], tools=functions(WEATHER)))
    assert "snow, -3 °C" in answer["content"]
    assert "tool_calls" not in answer


def test_structured_output_follows_the_schema(client: httpx.Client) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "call", "schema": ADD["parameters"]}}
    assert json.loads(message(ask(client, "Use 3 and 4", response_format=shape))["content"]) == {
        "a": 3,
        "b": 4,
    }


def test_a_schema_without_an_instance_is_the_callers_fault(client: httpx.Client) -> None:
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/nowhere"}}}
    response = ask(client, response_format=shape)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_schema")


def test_json_mode_answers_with_the_keys_that_the_text_quotes(client: httpx.Client) -> None:
    response = ask(client, "JSON with 'setup' and 'punchline' keys", response_format={"type": "json_object"})
    assert set(json.loads(message(response)["content"])) == {"setup", "punchline"}


# Who is right


def test_an_abler_model_is_right_more_often_and_as_often_as_the_formula_says(
    provider: SimulatedProvider,
) -> None:
    for model in (SMALL, LARGE):
        expected = sum(
            probability_right(skill=model.skill["reasoning"], difficulty=prompt.difficulty) for prompt in SUMS
        )
        right = sum(provider.score(model.name, prompt.text) for prompt in SUMS)
        assert right == pytest.approx(expected, abs=3 * len(SUMS) ** 0.5 / 2)
    assert probability_right(skill=0.5, difficulty=0.5) == 0.5


def test_the_score_says_whether_the_answer_given_is_the_right_one(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    scores = set()
    wrongs = set()
    for prompt in SUMS[::5]:
        answer = message(ask(client, prompt.text))["content"]
        score = provider.score("small", prompt.text)
        scores.add(score)
        assert (answer == prompt.answer) == (score == 1.0)
        if score == 0:
            wrongs.add(answer)
    assert scores == {0.0, 1.0}
    assert len(wrongs) > 3


def test_the_same_seed_gives_the_same_answers_and_another_gives_others() -> None:
    def scores(seed: int) -> list[float]:
        provider = SimulatedProvider([SMALL], prompts=SUMS, seed=seed)
        return [provider.score("small", prompt.text) for prompt in SUMS]

    assert scores(1) == scores(1)
    assert scores(1) != scores(2)


@pytest.mark.parametrize(
    "right", ["yes", "B", "(C)", "42", "a", "I", "It is a rather long answer made of quite some words."]
)
def test_a_wrong_answer_never_contains_the_right_one(right: str) -> None:
    prompts = [
        SimulatedPrompt(text=f"prompt {n}", intent="reasoning", difficulty=1, answer=right) for n in range(40)
    ]
    hopeless = SimulatedModel(
        name="hopeless", input_usd_per_million=0, output_usd_per_million=0, skill={"reasoning": 0}
    )
    with (
        SimulatedProvider([hopeless], prompts=prompts) as provider,
        httpx.Client(base_url=provider.base_url) as client,
    ):
        for prompt in prompts:
            if provider.score("hopeless", prompt.text) == 0:
                words = message(ask(client, prompt.text, model="hopeless"))["content"].lower().split()
                assert right.lower() not in " ".join(words) if len(right) > 3 else right.lower() not in words


def test_an_unknown_prompt_gets_fluent_talk_that_repeats_nothing_of_it(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    text = "My passphrase is xyzzy-4711"
    answer = message(ask(client, text))["content"]
    assert answer == message(ask(client, text))["content"]
    assert "xyzzy" not in answer
    with pytest.raises(ConfigurationError, match="or the prompt is not known") as raised:
        provider.score("small", text)
    assert "xyzzy" not in str(raised.value)


# Errors on demand


@pytest.mark.parametrize(
    ("status", "code", "kind", "sent_code"),
    [
        (400, None, "invalid_request_error", None),
        (400, "context_length_exceeded", "invalid_request_error", "context_length_exceeded"),
        (401, None, "invalid_request_error", "invalid_api_key"),
        (403, None, "invalid_request_error", "insufficient_permissions"),
        (404, None, "invalid_request_error", "model_not_found"),
        (408, None, "timeout", "request_timeout"),
        (422, None, "invalid_request_error", None),
        (429, None, "requests", "rate_limit_exceeded"),
        (429, "insufficient_quota", "insufficient_quota", "insufficient_quota"),
        (500, None, "server_error", None),
        (502, None, "server_error", "bad_gateway"),
        (503, None, "server_error", "service_unavailable"),
        (529, None, "server_error", None),
    ],
)
def test_a_failure_on_demand_has_openais_shape(
    provider: SimulatedProvider,
    client: httpx.Client,
    status: int,
    code: str | None,
    kind: str,
    sent_code: str | None,
) -> None:
    provider.fail("small", status, code=code)
    response = ask(client)
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["code"]) == (status, kind, sent_code)
    assert error["message"]
    assert ask(client).status_code == 200


def test_failures_come_in_the_order_given_and_only_to_their_model(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    provider.fail("small", 429, times=2, retry_after_s=7)
    provider.fail("small", 500)
    assert ask(client, model="large").status_code == 200
    first = ask(client)
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert [ask(client).status_code for _ in range(3)] == [429, 500, 200]


def test_a_lasting_failure_lasts_until_healed(provider: SimulatedProvider, client: httpx.Client) -> None:
    provider.fail("small", 503, times=None)
    assert [ask(client).status_code for _ in range(5)] == [503] * 5
    provider.heal("small")
    assert ask(client).status_code == 200


def test_each_failure_is_spent_once_by_concurrent_requests(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    provider.fail("small", 500, times=20)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: ask(client).status_code, range(40)))
    assert sorted(statuses) == [200] * 20 + [500] * 20
    assert len(provider.requests) == 40


def test_a_hanging_model_times_out_and_is_counted(provider: SimulatedProvider, client: httpx.Client) -> None:
    provider.hang("small")
    with pytest.raises(httpx.ReadTimeout):
        client.post(
            "/chat/completions",
            json={"model": "small", "messages": [{"role": "user", "content": "x"}]},
            timeout=0.05,
        )
    assert [seen.status for seen in provider.requests] == [0]
    assert ask(client).status_code == 200


def test_a_hanging_model_drops_the_connection_at_its_limit(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    provider.hang("small", limit_s=0.01)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client)


def test_a_cut_stream_breaks_off_after_its_events(provider: SimulatedProvider, client: httpx.Client) -> None:
    provider.cut_stream("small", after_events=2)
    received: list[str] = []
    with (
        pytest.raises(httpx.RemoteProtocolError),
        client.stream(
            "POST",
            "/chat/completions",
            json={"model": "small", "stream": True, "messages": [{"role": "user", "content": "x"}]},
        ) as response,
    ):
        received.extend(line for line in response.iter_lines() if line)
    assert len(received) <= 2
    assert ask(client, stream=True).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        lambda provider: provider.fail("absent", 500),
        lambda provider: provider.fail("small", 200),
        lambda provider: provider.fail("small", 500, times=0),
        lambda provider: provider.hang("small", limit_s=-1),
        lambda provider: provider.heal("absent"),
        lambda provider: provider.start(),
    ],
)
def test_a_fault_that_cannot_be_is_refused(provider: SimulatedProvider, wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        wrong(provider)


# What was seen


def test_requests_are_seen_with_their_numbers_and_without_their_text(
    provider: SimulatedProvider, client: httpx.Client
) -> None:
    usage = ask(client, "my secret", tools=functions(ADD)).json()["usage"]
    ask(client, model="absent", stream=True)
    client.get("/models")
    first, second, third = provider.requests
    assert (first.model, first.path, first.stream, first.status, first.tools) == (
        "small",
        "/v1/chat/completions",
        False,
        200,
        True,
    )
    assert (first.input_tokens, first.output_tokens) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert (second.model, second.stream, second.status) == ("absent", True, 404)
    assert (third.model, third.path, third.status) == ("", "/v1/models", 200)
    assert first.body is None


def test_bodies_are_kept_only_on_request() -> None:
    with (
        SimulatedProvider([SMALL], keep_bodies=True) as provider,
        httpx.Client(base_url=provider.base_url) as client,
    ):
        ask(client, "keep this")
        (seen,) = provider.requests
    assert seen.body is not None
    assert seen.body["messages"][0]["content"] == "keep this"
    assert "keep this" not in repr(seen)


# Starting, stopping, waiting


def _threads() -> set[threading.Thread]:
    """All but the idle threads of earlier tests' calls, which end when they please."""
    return {one for one in threading.enumerate() if one.name != "langchain-router-idle"}


def test_nothing_is_left_running_after_close() -> None:
    before = _threads()
    provider = SimulatedProvider([SMALL]).start()
    provider.hang("small")
    url = provider.base_url
    with httpx.Client(base_url=url) as idle, ThreadPoolExecutor(1) as pool:
        assert idle.get("/models").status_code == 200
        hanging = pool.submit(
            httpx.post,
            f"{url}/chat/completions",
            json={"model": "small", "messages": [{"role": "user", "content": "x"}]},
        )
        while len(provider.requests) < 2:
            time.sleep(0.001)
        provider.close()
        assert isinstance(hanging.exception(), httpx.HTTPError)
    provider.close()
    assert _threads() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/models")
    with pytest.raises(ConfigurationError, match="not started"):
        _ = provider.base_url


def test_a_port_may_be_chosen_and_a_taken_one_is_refused(provider: SimulatedProvider) -> None:
    port = httpx.URL(provider.base_url).port
    assert port is not None
    with pytest.raises(ConfigurationError, match=f"Port {port} "):
        SimulatedProvider([SMALL], port=port).start()
    provider.close()
    with SimulatedProvider([SMALL], port=port) as again:
        assert again.base_url == f"http://127.0.0.1:{port}/v1"


def test_latency_and_pace_are_waited_for_in_proportion() -> None:
    slow = SimulatedModel(
        name="slow", input_usd_per_million=0, output_usd_per_million=0, latency_s=10, output_tokens_per_s=1
    )
    with (
        SimulatedProvider([slow], time_scale=0.002) as provider,
        httpx.Client(base_url=provider.base_url) as client,
    ):
        for stream in (False, True):
            started = time.perf_counter()
            tokens = ask(client, model="slow", stream=stream, max_tokens=5)
            assert tokens.status_code == 200
            assert 0.02 < time.perf_counter() - started < 1


def test_importing_the_kit_imports_nothing_heavy() -> None:
    heavy = "('litellm', 'langchain', 'langchain_litellm', 'numpy', 'pytest', 'sqlalchemy')"
    script = f"import sys, langchain_router.testing; print([m for m in {heavy} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "build",
    [
        lambda: SimulatedProvider(),
        lambda: SimulatedProvider([SMALL, SMALL]),
        lambda: SimulatedProvider([SMALL], prompts=[SUMS[0], SUMS[0]]),
        lambda: SimulatedProvider([SMALL], time_scale=-1),
        lambda: SimulatedProvider.recorded([]),
        lambda: SimulatedModel(name="m", input_usd_per_million=-1, output_usd_per_million=0),
        lambda: SimulatedModel(
            name="m", input_usd_per_million=0, output_usd_per_million=0, output_tokens_per_s=0
        ),
        lambda: SimulatedModel(
            name="m", input_usd_per_million=0, output_usd_per_million=0, skill={"reasoning": 1.5}
        ),
        lambda: SimulatedPrompt(text="x", intent="reasoning", difficulty=2, answer="y"),
    ],
)
def test_what_cannot_work_is_refused_at_construction(build: Any) -> None:
    with pytest.raises(ConfigurationError):
        build()


# Recorded answers

RECORDED = (
    ReplayRow(
        id="1",
        dataset="d",
        domain="x",
        prompt="first",
        outcomes={
            "a": ReplayOutcome(score=0.25, response="recorded words here", input_tokens=70, output_tokens=30),
            "b": ReplayOutcome(score=1.0),
        },
    ),
    ReplayRow(id="2", dataset="d", domain="x", prompt="first", outcomes={"a": ReplayOutcome(score=1.0)}),
    ReplayRow(id="3", dataset="d", domain="x", prompt="second", outcomes={"b": ReplayOutcome(score=0.0)}),
)


@pytest.fixture
def recorded() -> Iterator[tuple[SimulatedProvider, httpx.Client]]:
    with (
        SimulatedProvider.recorded(RECORDED) as provider,
        httpx.Client(base_url=provider.base_url) as client,
    ):
        yield provider, client


def test_a_recorded_answer_comes_back_with_its_tokens_and_score(
    recorded: tuple[SimulatedProvider, httpx.Client],
) -> None:
    provider, client = recorded
    body = ask(client, "first", model="a").json()
    assert body["choices"][0]["message"]["content"] == "recorded words here"
    assert (body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]) == (70, 30)
    assert provider.score("a", "first") == 0.25
    assert provider.models == ("a", "b")
    usage = chunks(ask(client, "first", model="a", stream=True, stream_options={"include_usage": True}))[-1][
        "usage"
    ]
    assert usage == body["usage"]


def test_a_recorded_answer_cut_by_max_tokens_keeps_that_share_of_its_text(
    recorded: tuple[SimulatedProvider, httpx.Client],
) -> None:
    choice = ask(recorded[1], "first", model="a", max_tokens=15).json()["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "recorded ")


def test_a_recording_without_text_says_so(recorded: tuple[SimulatedProvider, httpx.Client]) -> None:
    assert message(ask(recorded[1], "second", model="b"))["content"] == NO_TEXT


def test_what_was_not_recorded_is_a_clear_404(recorded: tuple[SimulatedProvider, httpx.Client]) -> None:
    provider, client = recorded
    for model, text, code in (
        ("a", "second", "recording_not_found"),
        ("a", "my secret", "recording_not_found"),
        ("absent", "first", "model_not_found"),
    ):
        response = ask(client, text, model=model)
        assert (response.status_code, response.json()["error"]["code"]) == (404, code)
        assert "secret" not in response.text
    with pytest.raises(ConfigurationError):
        provider.score("a", "second")


# Through LiteLLM


@pytest.mark.filterwarnings("ignore")
def test_litellm_reads_answers_costs_of_tokens_and_errors(provider: SimulatedProvider) -> None:
    import litellm
    from litellm import exceptions as errors

    def complete(**options: Any) -> Any:
        return litellm.completion(
            model="openai/small",
            api_base=provider.base_url,
            api_key="x",
            max_retries=0,
            messages=[{"role": "user", "content": SUMS[0].text}],
            **options,
        )

    answer = complete()
    assert answer.choices[0].message.content
    assert answer.usage.total_tokens == sum(
        (provider.requests[0].input_tokens, provider.requests[0].output_tokens)
    )
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in complete(stream=True))
    assert streamed == answer.choices[0].message.content
    for status, code, error in (
        (429, None, errors.RateLimitError),
        (400, "context_length_exceeded", errors.ContextWindowExceededError),
        (401, None, errors.AuthenticationError),
        (404, None, errors.NotFoundError),
        (503, None, errors.ServiceUnavailableError),
    ):
        provider.fail("small", status, code=code)
        with pytest.raises(error):
            complete()
    assert len(provider.requests) == 7


@pytest.mark.filterwarnings("ignore")
def test_chat_litellm_calls_a_tool_and_reads_its_result(provider: SimulatedProvider) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage
    from langchain_litellm import ChatLiteLLM

    model = ChatLiteLLM(
        model="openai/large", api_base=provider.base_url, api_key="x", model_kwargs={"max_retries": 0}
    ).bind_tools(functions(WEATHER))
    question = HumanMessage("How is the weather in Oslo?")
    asked = model.invoke([question])
    (call,) = asked.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"location": "Oslo"})
    answer = model.invoke([question, asked, ToolMessage("snow", tool_call_id=call["id"])])
    assert "snow" in answer.text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"models": ["small"]},
            r"models must hold SimulatedModels, got a text; write models=\[SimulatedModel\(",
        ),
        ({"models": "small"}, "models must be a list, got a text"),
        ({"models": [SimulatedModel]}, "got the class SimulatedModel"),
        ({"models": SMALL}, "models must be a list, got a SimulatedModel"),
        ({"models": [SMALL], "prompts": ["What?"]}, "prompts must hold SimulatedPrompts, got a text"),
    ],
)
def test_what_is_no_model_or_prompt_is_refused_with_what_to_write(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        SimulatedProvider(**given)
    assert "What?" not in str(caught.value)
