"""Who may do what (spec 4, "Permissions"): rights, roles, grants, and the one function that decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Right(StrEnum):
    """One row of the permission table; where dev and prod differ, one for each."""

    VIEW = "view"
    VIEW_CODE = "view_code"  # SQL, log, lineage values
    OPERATE_DEV = "operate_dev"
    OPERATE_PROD = "operate_prod"
    PUBLISH_DEV = "publish_dev"
    PUBLISH = "publish"
    WIZARD = "wizard"
    GOVERN = "govern"  # members, groups, rules, baselines
    TENANT = "tenant"  # tenant settings, users, tokens of others


class Role(StrEnum):
    """The built-in roles; a custom role is a named set of rights."""

    SUPER_ADMINISTRATOR = "super_administrator"
    SYSTEM_ADMINISTRATOR = "system_administrator"
    PROJECT_ADMINISTRATOR = "project_administrator"
    OPERATOR = "operator"
    DEVELOPER = "developer"
    ANALYST = "analyst"
    VISITOR = "visitor"


Source = Literal["ui", "api", "cli", "agent"]

EVERY_RIGHT = frozenset(Right)
_SEES = frozenset({Right.VIEW, Right.VIEW_CODE})
_OPERATES = _SEES | {Right.OPERATE_DEV, Right.OPERATE_PROD, Right.PUBLISH_DEV, Right.PUBLISH}
ROLE_RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.SUPER_ADMINISTRATOR: EVERY_RIGHT,
    Role.SYSTEM_ADMINISTRATOR: EVERY_RIGHT,
    Role.PROJECT_ADMINISTRATOR: EVERY_RIGHT - {Right.TENANT},
    Role.OPERATOR: _OPERATES,
    Role.DEVELOPER: _SEES | {Right.OPERATE_DEV, Right.PUBLISH_DEV},
    Role.ANALYST: _SEES,
    Role.VISITOR: frozenset({Right.VIEW}),
}
OWNER_RIGHTS = frozenset({Right.VIEW, Right.OPERATE_DEV, Right.OPERATE_PROD})


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights on a scope: tenant (all empty), project, table (`project.table`) or metric; denied instead if `deny`."""

    role_or_rights: Role | frozenset[Right]
    project: str = ""
    table: str = ""
    field: str = ""
    deny: bool = False

    def __post_init__(self) -> None:
        # Without its project a table's grant would hold in every project that has a table of that name.
        if (self.table and not self.project) or (self.field and not self.table):
            raise ValueError("a table's grant names its project, a metric's grant its table")

    @property
    def rights(self) -> frozenset[Right]:
        if isinstance(self.role_or_rights, Role):
            return ROLE_RIGHTS[self.role_or_rights]
        return self.role_or_rights

    def covers(self, thing: Thing) -> bool:
        """The thing lies inside the scope; a scope never covers what is wider than itself."""
        return (
            self.project in ("", thing.project)
            and self.table in ("", thing.table)
            and self.field in ("", thing.field)
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts and through what. `within` narrows everything, ownership too: the limits of a token."""

    name: str
    source: Source
    grants: tuple[Grant, ...]
    token_id: str = ""
    within: frozenset[Right] = EVERY_RIGHT


@dataclass(frozen=True, slots=True)
class Thing:
    """What is touched; the project of a metric is the metric's own, which need not be its table's."""

    project: str
    table: str = ""
    field: str = ""
    owner: str = ""
    environment: str = "prod"


TENANT_ITSELF = Thing("")
LOCAL = Actor("local", "cli", (Grant(Role.SUPER_ADMINISTRATOR),))


def may(actor: Actor, right: Right, thing: Thing) -> bool:
    """Deny beats allow, and both beat ownership."""
    # An administrator's role that was granted on one project must not reach the settings of the tenant.
    place = TENANT_ITSELF if right is Right.TENANT else thing
    if right not in actor.within:
        return False
    found = [grant for grant in actor.grants if right in grant.rights and grant.covers(place)]
    if any(grant.deny for grant in found):
        return False
    return bool(found) or (right in OWNER_RIGHTS and _owns(actor, thing))


def may_operate(actor: Actor, thing: Thing) -> bool:
    """Operating asks for the right of the thing's environment."""
    return may(actor, Right.OPERATE_DEV if thing.environment == "dev" else Right.OPERATE_PROD, thing)


def operating_permit(actor: Actor, environment: str) -> Callable[[str, str, str, str], bool]:
    """(project, table, field, owner) -> whether the actor may operate it: what plans ask of every object they touch."""

    def permitted(project: str, table: str, field: str, owner: str) -> bool:
        return may_operate(actor, Thing(project, table, field, owner, environment))

    return permitted


def administers(actor: Actor, project: str) -> bool:
    """Members, groups, rules and baselines of the project are the actor's to change."""
    return may(actor, Right.GOVERN, Thing(project))


def tenant_administrator(actor: Actor) -> bool:
    return may(actor, Right.TENANT, TENANT_ITSELF)


def _owns(actor: Actor, thing: Thing) -> bool:
    return thing.owner != "" and thing.owner == actor.name
