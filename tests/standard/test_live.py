"""LangChain's own conformance suites, on a router of two LiteLLM candidates, over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_router import Candidate, ChatRouter
from langchain_router.testing import SimulatedProvider


class _OnTheSimulatedProvider:
    @pytest.fixture(autouse=True)
    def _candidates(self, provider: SimulatedProvider, candidates_at: Callable[..., list[Candidate]]) -> None:
        self._candidates_now = candidates_at(provider.base_url)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"candidates": self._candidates_now, "quality": 0.75}


class TestUnit(_OnTheSimulatedProvider, ChatModelUnitTests):
    # Skipped: serialisation, because a router holds chat models, and those hold keys.

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"LC_OUTPUT_VERSION": "v1"}, self.chat_model_params, {"output_version": "v1"}


class TestIntegration(_OnTheSimulatedProvider, ChatModelIntegrationTests):
    # Skipped: image, PDF and audio inputs, image and PDF tool messages and Anthropic-style inputs, because
    # the candidates are text models; the timing of a recorded stream, which test_cassettes.py runs.

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "large"


class TestIntegrationInOneChainRun(TestIntegration):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "trace": "chain"}
