"""LangChain's own conformance suites, on a cascade of two LiteLLM candidates, over real HTTP.

Once every draft is accepted, and once every one is rejected, so that everything escalates: all but structured
output, where the suite wants exactly one model to be started, and a cascade that escalates starts two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from langchain_router import Candidate, ChatRouter
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.request import RoutingRequest
from langchain_router.testing import SimulatedProvider


class _OnTheSimulatedProvider:
    accepts: ClassVar[bool] = True

    @pytest.fixture(autouse=True)
    def _candidates(self, provider: SimulatedProvider, candidates_at: Callable[..., list[Candidate]]) -> None:
        self._candidates_now = candidates_at(provider.base_url)

    def _passes(self, request: RoutingRequest, response: AIMessage) -> bool:
        return self.accepts or request.response_schema is not None

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        tiers = [("small", self._passes), ("large", None)]
        return {"candidates": self._candidates_now, "policy": CascadePolicy(tiers)}


class TestUnit(_OnTheSimulatedProvider, ChatModelUnitTests):
    # Skipped: serialisation, because a router holds chat models, and those hold keys.

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        return {"LC_OUTPUT_VERSION": "v1"}, self.chat_model_params, {"output_version": "v1"}


class TestAccepted(_OnTheSimulatedProvider, ChatModelIntegrationTests):
    # Skipped: what text models do not take, and the timing of a recorded stream, as for a plain router.

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_model_override(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "large"


class TestEscalated(TestAccepted):
    accepts = False


class TestHeldBack(TestAccepted):
    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {**super().chat_model_params, "stream_mode": "holdback"}
