"""Which model the client's requests reach: explicit names, plan mode, haiku, effort, sub-agents."""

from __future__ import annotations

import pytest

from tests.integration.claude_code.conftest import NewClient, OpenStage
from tests.integration.claude_code.test_work import check
from tests.support.scripts import Reply, Script, Seen, by_turn, call, mentions, text, when
from tests.support.stage import Stage

pytestmark = pytest.mark.client


def agent_call(prompt: str, **more: object) -> Reply:
    return call(
        "Agent",
        description="sub job",
        prompt=prompt,
        subagent_type="general-purpose",
        run_in_background=False,
        **more,
    )


def delegating(prompt: str, **more: object) -> Script:
    agent = by_turn(call("Bash", command="echo sub", description="b"), text("Agent finished."))
    return when(mentions("SUBJOB"), agent, by_turn(agent_call(prompt, **more), text("Main finished.")))


def models_of(stage: Stage, *, agent: bool) -> list[str]:
    def is_agent(seen: Seen) -> bool:
        return "SUBJOB" in seen.user_text

    return [seen.model for seen in stage.seen if is_agent(seen) == agent]


def test_bare_adaptive_thinking_stays_on_the_default_route(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("ok")))

    check(new_client(ccr).run("hello"), ccr)

    assert ccr.models == ["m-main"]


@pytest.mark.parametrize("name", ["up,m-other", "UP,M-Other", "up/m-other"])
def test_a_model_named_by_provider_is_taken(ccr: Stage, new_client: NewClient, name: str) -> None:
    ccr.play(by_turn(text("ok")))

    check(new_client(ccr).run("hello", "--model", name), ccr)

    assert ccr.models == ["m-other"]


def test_an_unknown_provider_is_an_error_the_user_can_read(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("never")))

    run = new_client(ccr).run("hello", "--model", "upp,m-main")

    assert run.result["is_error"] is True, run.describe()
    assert "400" in run.answer, run.describe()
    assert "up" in run.answer, run.describe()
    assert ccr.seen == []


def test_plan_mode_takes_the_think_route(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("The plan.")))

    run = new_client(ccr).run("plan it", "--permission-mode", "plan")

    check(run, ccr)
    assert run.answer == "The plan."
    assert ccr.models == ["m-think"]
    if ccr.kind == "openai":
        assert "classifier_context" not in repr(ccr.seen[0].json)


def test_a_high_effort_takes_the_think_route(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("ok")))

    check(new_client(ccr).run("hello", "--effort", "high"), ccr)

    assert ccr.models == ["m-think"]


def test_haiku_takes_the_background_route(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(by_turn(text("ok")))

    check(new_client(ccr).run("hello", "--model", "haiku"), ccr)

    assert ccr.models == ["m-small"]


def test_an_agent_on_haiku_works_in_the_background_model(ccr: Stage, new_client: NewClient) -> None:
    ccr.play(delegating("SUBJOB: do it", model="haiku"))

    run = new_client(ccr).run("delegate")

    check(run, ccr)
    assert models_of(ccr, agent=True) == ["m-small", "m-small"]
    assert set(models_of(ccr, agent=False)) == {"m-main"}


def test_the_subagent_tag_chooses_the_model_of_the_agent_alone(ccr: Stage, new_client: NewClient) -> None:
    tag = "<CCR-SUBAGENT-MODEL>up,m-agent</CCR-SUBAGENT-MODEL>"
    ccr.play(delegating(f"{tag}SUBJOB: do it"))

    run = new_client(ccr).run("delegate")

    check(run, ccr)
    assert run.answer == "Main finished."
    assert models_of(ccr, agent=True) == ["m-agent", "m-agent"]
    assert models_of(ccr, agent=False) == ["m-main", "m-main"]
    agents = [seen for seen in ccr.seen if "SUBJOB" in seen.user_text]
    assert not [seen for seen in agents if "CCR-SUBAGENT-MODEL" in seen.user_text]


def test_the_clients_hints_route_its_agents(own_ccr: OpenStage, new_client: NewClient) -> None:
    stage = own_ccr(router={"subagent": "up,m-agent"})
    stage.play(delegating("SUBJOB: do it"))

    run = new_client(stage).run("delegate", CLAUDE_CODE_GATEWAY_HINT_HEADERS="1")

    check(run, stage)
    assert models_of(stage, agent=True) == ["m-agent", "m-agent"]
    assert models_of(stage, agent=False) == ["m-main", "m-main"]


def test_the_type_of_an_agent_can_have_a_model(own_ccr: OpenStage, new_client: NewClient) -> None:
    stage = own_ccr(router={"agents": {"general-purpose": "up,m-other"}, "subagent": "up,m-agent"})
    stage.play(delegating("SUBJOB: do it"))

    run = new_client(stage).run("delegate", CLAUDE_CODE_GATEWAY_HINT_HEADERS="1")

    check(run, stage)
    assert models_of(stage, agent=True) == ["m-other", "m-other"]
