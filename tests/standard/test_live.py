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
    pass


class TestIntegration(_OnTheSimulatedProvider, ChatModelIntegrationTests):
    # Skipped, because the candidates are text models: image, PDF, audio inputs and outputs of tools.

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
