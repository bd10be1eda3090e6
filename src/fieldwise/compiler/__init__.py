"""From SQL to materialization nodes: pure functions of definitions and a catalogue; the only user of sqlglot.

names, problems = order(projects, published)          # upstream first
catalogue = Catalogue(projects)                       # sources with their columns
for name in names:
    task, problems = compile_task(definition, project, catalogue, projects_by_name)
    catalogue.add_task(task.with_types(described))    # types from the engine's DESCRIBE of task.sql
fuse(task, node_ids)                                  # -> Statement(sql, parameters), from the stored task alone
    relocate(sql, {"shop.orders": "shop_dev.orders"})     # the same over dev tables
"""

from fieldwise.compiler.catalogue import Catalogue
from fieldwise.compiler.compile import RULES, compile_task, planning
from fieldwise.compiler.fingerprint import fingerprint
from fieldwise.compiler.fuse import Statement, cut, fuse
from fieldwise.compiler.order import order
from fieldwise.compiler.relocate import relocate

__all__ = [
    "RULES",
    "Catalogue",
    "Statement",
    "compile_task",
    "cut",
    "fingerprint",
    "fuse",
    "order",
    "planning",
    "relocate",
]
