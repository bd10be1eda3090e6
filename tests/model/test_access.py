"""The permission table, cell by cell, and the rules that go beyond it, against every combination of a small world."""

from __future__ import annotations

from itertools import product

import pytest

from fieldwise.model.access import (
    LOCAL,
    ROLE_RIGHTS,
    Actor,
    Grant,
    Right,
    Role,
    Thing,
    administers,
    may,
    may_operate,
    operating_permit,
    tenant_administrator,
)

# Written out from spec 4, not derived from ROLE_RIGHTS: one column for each role, one row for each right.
TABLE = {
    #                    super system project operator developer analyst visitor
    Right.VIEW:         "yes   yes    yes     yes      yes       yes     yes",
    Right.VIEW_CODE:    "yes   yes    yes     yes      yes       yes     -",
    Right.OPERATE_DEV:  "yes   yes    yes     yes      yes       -       -",
    Right.OPERATE_PROD: "yes   yes    yes     yes      -         -       -",
    Right.PUBLISH_DEV:  "yes   yes    yes     yes      yes       -       -",
    Right.PUBLISH:      "yes   yes    yes     yes      -         -       -",
    Right.WIZARD:       "yes   yes    yes     -        -         -       -",
    Right.GOVERN:       "yes   yes    yes     -        -         -       -",
    Right.TENANT:       "yes   yes    -       -        -         -       -",
}  # fmt: skip
CELLS = [
    (role, right, word == "yes")
    for right, row in TABLE.items()
    for role, word in zip(Role, row.split(), strict=True)
]
SCOPES = [
    ("", "", ""),
    ("shop", "", ""),
    ("shop", "shop.sales", ""),
    ("shop", "shop.sales", "gmv"),
    ("bank", "", ""),
]
THINGS = [Thing(*scope) for scope in SCOPES] + [
    Thing("shop", "shop.sales", "tax"),
    Thing("bank", "shop.sales", "gmv"),
]


def acting(*grants: Grant) -> Actor:
    return Actor("mei", "api", grants)


def test_the_table_has_every_role_and_right() -> None:
    assert {(role, right) for role, right, _ in CELLS} == set(product(Role, Right))
    assert set(ROLE_RIGHTS) == set(Role)


@pytest.mark.parametrize(("role", "right", "allowed"), CELLS)
def test_a_cell_of_the_table(role: Role, right: Right, allowed: bool) -> None:
    tenant, own = acting(Grant(role)), acting(Grant(role, "shop"))
    assert may(tenant, right, Thing("shop")) is allowed
    # Nothing granted on a project reaches the tenant's own settings.
    assert may(own, right, Thing("shop", "shop.sales", "gmv")) is (allowed and right is not Right.TENANT)
    assert not may(own, right, Thing("bank", "bank.sales", "gmv"))
    assert not may(own, right, Thing(""))


@pytest.mark.parametrize(("right", "scope", "thing"), list(product(Right, SCOPES, THINGS)))
def test_scopes_cover_what_is_inside_them_and_deny_beats_allow(
    right: Right, scope: tuple[str, str, str], thing: Thing
) -> None:
    touched = ("", "", "") if right is Right.TENANT else (thing.project, thing.table, thing.field)
    inside = touched[: len([part for part in scope if part])] == tuple(part for part in scope if part)
    only = frozenset({right})
    assert may(acting(Grant(only, *scope)), right, thing) is inside
    allow, deny = Grant(only), Grant(only, *scope, deny=True)
    assert may(acting(allow, deny), right, thing) is not inside
    assert may(acting(deny, allow), right, thing) is not inside


@pytest.mark.parametrize("right", Right)
def test_the_owner_views_and_operates_and_no_more(right: Right) -> None:
    mine = Thing("shop", "shop.sales", owner="mei")
    expected = right in {Right.VIEW, Right.OPERATE_DEV, Right.OPERATE_PROD}
    assert may(acting(), right, mine) is expected
    assert not may(acting(), right, Thing("shop", "shop.sales", owner="li"))
    assert not may(acting(Grant(frozenset({right}), "shop", deny=True)), right, mine)


def test_nobody_owns_what_has_no_owner() -> None:
    assert not may(Actor("", "api", ()), Right.VIEW, Thing("shop"))


@pytest.mark.parametrize(("role", "right"), list(product(Role, Right)))
def test_a_token_narrows_its_user_and_ownership(role: Role, right: Right) -> None:
    narrowed = Actor("mei", "api", (Grant(Role.SUPER_ADMINISTRATOR),), "t1", ROLE_RIGHTS[role])
    assert may(narrowed, right, Thing("shop", owner="mei")) is (right in ROLE_RIGHTS[role])


def test_a_token_never_widens_its_user() -> None:
    assert not may(Actor("mei", "api", (Grant(Role.VISITOR),), "t1"), Right.PUBLISH, Thing("shop"))


def test_operating_asks_for_the_right_of_the_environment() -> None:
    developer = acting(Grant(Role.DEVELOPER, "shop"))
    assert may_operate(developer, Thing("shop", environment="dev"))
    assert not may_operate(developer, Thing("shop"))


def test_the_permit_of_plans_asks_for_every_part() -> None:
    metric = acting(Grant(Role.OPERATOR, "shop", "shop.sales", "gmv"), Grant(Role.DEVELOPER, "bank"))
    prod, dev = operating_permit(metric, "prod"), operating_permit(metric, "dev")
    assert prod("shop", "shop.sales", "gmv", "li")
    assert not prod("shop", "shop.sales", "tax", "li")
    assert not prod("shop", "shop.sales", "", "li")
    assert prod("shop", "shop.sales", "tax", "mei")
    assert not prod("bank", "bank.loans", "", "li")
    assert dev("bank", "bank.loans", "", "li")


def test_administrators() -> None:
    project, whole = (
        acting(Grant(Role.PROJECT_ADMINISTRATOR, "shop")),
        acting(Grant(Role.SYSTEM_ADMINISTRATOR)),
    )
    assert administers(project, "shop")
    assert not administers(project, "bank")
    assert not tenant_administrator(project)
    assert not tenant_administrator(acting(Grant(Role.SUPER_ADMINISTRATOR, "shop")))
    assert administers(whole, "shop")
    assert tenant_administrator(whole)


def test_local_may_everything() -> None:
    assert all(may(LOCAL, right, thing) for right, thing in product(Right, THINGS))


@pytest.mark.parametrize("scope", [("", "shop.sales", ""), ("shop", "", "gmv"), ("", "", "gmv")])
def test_a_scope_without_what_contains_it_is_refused(scope: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match="names its project"):
        Grant(Role.VISITOR, *scope)
