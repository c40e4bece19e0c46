"""The integration suite again, on recorded traffic with the network blocked.

`make record` records it anew; docs/testing.md tells how to record against real providers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests

from langchain_router import Candidate, ChatRouter
from langchain_router.testing import cassettes

_NOBODY_LISTENS = "http://127.0.0.1:9/v1"


@pytest.mark.vcr
@pytest.mark.block_network
class TestReplayed(ChatModelIntegrationTests):
    @pytest.fixture(autouse=True)
    def _candidates(
        self, request: pytest.FixtureRequest, record_mode: str, candidates_at: Callable[..., list[Candidate]]
    ) -> None:
        replaying = record_mode == "none"
        base_url = _NOBODY_LISTENS if replaying else request.getfixturevalue("provider").base_url
        self._candidates_now = candidates_at(base_url)

    @pytest.fixture
    def vcr_config(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        replayed_often = request.node.name == "test_stream_time"  # a benchmark of the same recorded stream
        return {**cassettes.options(), "allow_playback_repeats": replayed_often}

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"candidates": self._candidates_now, "quality": 0.75}

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "large"
