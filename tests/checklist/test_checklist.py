"""The checklist file says what the guide says, item by item, and mistakes in it are told plainly."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from checks.checklist import DESCRIPTIONS, PATH, PHASES, WINDOWS, Item, load, worded

GUIDE_ITEMS = Path(__file__).with_name("guide_items.toml")

FIRST = """
[SMK-1]
statement = "The health endpoint answers."
section = "Smoke tests"
phase = "smoke"
severity = 1
owner = "On-call Engineer"
how = "automated"
"""


@pytest.fixture(scope="module")
def checklist() -> dict[str, Item]:
    return load()


def test_ids_severities_and_ways_of_settling_are_the_guides(checklist: dict[str, Item]) -> None:
    guide = tomllib.loads(GUIDE_ITEMS.read_text(encoding="utf-8"))

    assert len(checklist) == 133
    assert [(item.id, item.severity, item.how) for item in checklist.values()] == [
        (item_id, values["severity"], values["how"]) for item_id, values in guide.items()
    ]


@pytest.mark.parametrize(
    ("prefix", "phase"),
    [
        ("PRE", "predeploy"),
        ("DEP", "deploy"),
        ("SMK", "smoke"),
        ("VAL", "validation"),
        ("REL", "validation"),
        ("RBK", "rollback"),
        ("LOAD", "load"),
        ("MON", "postdeploy"),
        ("ALR", "postdeploy"),
        ("FBK", "postdeploy"),
        ("POST", "postdeploy"),
        ("SEC", "security"),
        ("ESC", "predeploy"),
        ("SIGN", "gate"),
        ("CMP", "predeploy"),
        ("DOC", "predeploy"),
    ],
)
def test_a_family_of_items_shares_a_phase(checklist: dict[str, Item], prefix: str, phase: str) -> None:
    phases = {item.phase for item in checklist.values() if item.id.partition("-")[0] == prefix}

    assert phases == {phase}


def test_only_the_database_console_is_a_dashboard_that_is_a_matter_of_security(
    checklist: dict[str, Item],
) -> None:
    dashboards = {item.id: item.phase for item in checklist.values() if item.id.startswith("DASH")}

    assert dashboards == {
        "DASH-1": "postdeploy",
        "DASH-2": "postdeploy",
        "DASH-3": "postdeploy",
        "DASH-4": "security",
    }


@pytest.mark.parametrize(
    ("prefix", "window"),
    [
        ("POST-IMM", "immediate"),
        ("POST-SHORT", "short_term"),
        ("MON", "short_term"),
        ("POST-MED", "medium_term"),
        ("FBK", "medium_term"),
        ("POST-LONG", "long_term"),
        ("ALR", "long_term"),
    ],
)
def test_a_family_of_watched_items_shares_a_window(
    checklist: dict[str, Item], prefix: str, window: str
) -> None:
    windows = {item.window for item in checklist.values() if item.id.startswith(f"{prefix}-")}

    assert windows == {window}


def test_before_traffic_moves_only_hold_is_possible(checklist: dict[str, Item]) -> None:
    """A failure there must never tell anybody to roll back; afterwards a severity 1 must."""
    before = {item.id for item in checklist.values() if item.before_traffic}

    assert {item.id for item in checklist.values() if item.phase in {"predeploy", "rollback"}} <= before
    assert {item_id for item_id in checklist if item_id.startswith("SEC-PRE-")} <= before
    assert {"DEP-TEST-1", "DEP-IMG-1", "DEP-IMG-2", "DEP-NOTE-1"} <= before
    assert not [
        item_id for item_id in before if checklist[item_id].phase in {"smoke", "validation", "postdeploy"}
    ]
    assert not before & {"DEP-DB-1", "DEP-API-1", "DEP-UI-1", "SEC-POST-1"}


@pytest.mark.parametrize(
    ("item_id", "words"),
    [
        ("DEP-DB-1", "version_num"),
        ("ALR-1", "ratio"),
        ("ALR-2", "_bucket"),
        ("MON-1", "missing"),
        ("MON-2", "percentile"),
        ("DEP-API-1", "docker-compose.production.yml"),
        ("SMK-1", "status and body"),
        ("SMK-4", "removes"),
        ("DEP-IMG-2", "previous"),
        ("RBK-1", ":previous"),
        ("VAL-ACC-1", "$ADMIN_PASS"),
        ("PRE-ENV-1", "scheme"),
        ("SEC-PRE-2", "scheme"),
        ("PRE-DB-2", "scratch"),
        ("DEP-TIME-1", "18"),
    ],
)
def test_a_known_error_of_the_guide_is_corrected_where_it_matters(
    checklist: dict[str, Item], item_id: str, words: str
) -> None:
    assert words in checklist[item_id].correction


def test_a_statement_is_one_sentence(checklist: dict[str, Item]) -> None:
    for item in checklist.values():
        assert item.statement.endswith("."), item.id
        assert ". " not in item.statement, item.id
        assert item.statement[0].isupper() or item.statement[0].isdigit(), item.id


def test_statements_differ(checklist: dict[str, Item]) -> None:
    assert len({item.statement for item in checklist.values()}) == len(checklist)


def test_owners_are_roles_of_the_guide_or_its_security(checklist: dict[str, Item]) -> None:
    assert {item.owner for item in checklist.values()} == {
        "DevOps Lead",
        "Engineering Lead",
        "On-call Engineer",
        "Product Manager",
        "Project Manager",
        "QA Lead",
        "Security Lead",
        "Support Team",
    }


def test_every_phase_and_window_is_described_and_used(checklist: dict[str, Item]) -> None:
    assert tuple(DESCRIPTIONS) == PHASES + WINDOWS
    assert {item.phase for item in checklist.values()} == set(PHASES)
    assert {item.window for item in checklist.values()} == {None, *WINDOWS}


def test_defaults_of_an_item(tmp_path: Path) -> None:
    path = tmp_path / "checklist.toml"
    path.write_text(FIRST)

    assert load(path) == {
        "SMK-1": Item(
            id="SMK-1",
            statement="The health endpoint answers.",
            phase="smoke",
            window=None,
            section="Smoke tests",
            severity=1,
            owner="On-call Engineer",
            how="automated",
            before_traffic=False,
            correction="",
        )
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SMK-1 = 3", "SMK-1: found 3, expected a table [id]"),
        (FIRST.replace('owner = "On-call Engineer"\n', ""), "SMK-1: the key owner is missing"),
        (FIRST + "colour = 1\n", "SMK-1: unknown key colour, allowed: statement"),
        (FIRST + 'id = "SMK-2"\n', "SMK-1: unknown key id, allowed"),
        (FIRST.replace('"smoke"', '"smok"'), "SMK-1: phase = 'smok', allowed: predeploy, deploy, smoke"),
        (FIRST.replace("= 1", "= 5"), "SMK-1: severity = 5, allowed: 1, 2, 3, 4"),
        (FIRST.replace("= 1", "= true"), "SMK-1: severity = True, expected int"),
        (FIRST.replace("= 1", '= "1"'), "SMK-1: severity = '1', expected int"),
        (FIRST.replace('"automated"', '"by hand"'), "SMK-1: how = 'by hand', allowed: automated, attested"),
        (FIRST.replace("The health endpoint answers.", ""), "SMK-1: statement = '', expected str, not empty"),
        (FIRST + 'window = "soon"\n', "SMK-1: window = 'soon', allowed: immediate, short_term"),
        (
            FIRST + 'window = "immediate"\n',
            "SMK-1: a postdeploy item has a window, and no other item has one",
        ),
        (FIRST.replace('"smoke"', '"postdeploy"'), "SMK-1: a postdeploy item has a window"),
        (FIRST + FIRST, "checklist.toml: Cannot declare"),
        ("[SMK-1", "checklist.toml: Expected ']'"),
    ],
)
def test_a_mistake_is_told_with_file_item_and_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "checklist.toml"
    path.write_text(text)

    with pytest.raises(ValueError, match=r"checklist\.toml") as error:
        load(path)

    assert told in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_the_default_is_the_suites_own_file(checklist: dict[str, Item]) -> None:
    assert load(PATH) == checklist


def test_a_release_may_word_items_in_its_own_way(checklist: dict[str, Item]) -> None:
    own = worded(checklist, {"SMK-4": "Lending a book answers 201."})

    assert own["SMK-4"].statement == "Lending a book answers 201."
    assert {**own, "SMK-4": checklist["SMK-4"]} == checklist
