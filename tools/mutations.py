"""The small changes that mutation testing makes in a module: one at a time, each a fault that somebody could make."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Mutant", "make_mutants"]

WIDTH = 120

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),  # codespell:ignore notin
    ast.NotIn: (ast.In,),  # codespell:ignore notin
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


@dataclass(frozen=True)
class Mutant:
    line: int
    before: str
    after: str
    source: str = field(repr=False)


def changed(node: ast.AST, **fields: object) -> ast.AST:
    """A shallow copy of a node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def without(items: list[Any], index: int) -> list[Any]:
    return items[:index] + items[index + 1 :]


def of_constant(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int():
            yield ast.Constant(node.value + 1)
            if node.value:
                yield ast.Constant(node.value - 1)
        case str():
            yield ast.Constant(node.value + "x")
            if node.value:
                yield ast.Constant("")
        case bytes():
            yield ast.Constant(node.value + b"x")
            if node.value:
                yield ast.Constant(b"")


def of_binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in ARITHMETIC:
        yield changed(node, op=ARITHMETIC[type(node.op)]())
    if isinstance(node.op, ast.Add | ast.BitOr):
        yield from (node.left, node.right)


def of_call(node: ast.Call) -> Iterator[ast.AST]:
    for index in range(len(node.keywords)):
        yield changed(node, keywords=without(node.keywords, index))
    if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        yield node.args[0]
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
    elif len(node.args) > 1:
        yield changed(node, args=node.args[:-1])


def of_dict(node: ast.Dict) -> Iterator[ast.AST]:
    for index in range(len(node.keys)):
        yield changed(node, keys=without(node.keys, index), values=without(node.values, index))


def of_assign(node: ast.Assign) -> Iterator[ast.AST]:
    yield ast.Pass()
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for index in range(len(target.elts)):
            fewer = [changed(both, elts=without(both.elts, index)) for both in (target, value)]
            yield changed(node, targets=[fewer[0]], value=fewer[1])


def of_condition(
    node: ast.If | ast.IfExp | ast.While | ast.match_case | ast.comprehension,
) -> Iterator[ast.AST]:
    if isinstance(node, ast.comprehension):
        for index in range(len(node.ifs)):
            yield changed(node, ifs=without(node.ifs, index))
        return
    name = "guard" if isinstance(node, ast.match_case) else "test"
    if getattr(node, name) is not None:
        yield changed(node, **{name: ast.Constant(True)})
        if not isinstance(node, ast.match_case):  # without the guard the case is as good as removed
            yield changed(node, **{name: ast.Constant(False)})


def of_match(node: ast.Match) -> Iterator[ast.AST]:
    for index in range(len(node.cases)):
        if len(node.cases) > 1:
            yield changed(node, cases=without(node.cases, index))


def of_compare(node: ast.Compare) -> Iterator[ast.AST]:
    if len(node.ops) == 1:
        yield from (changed(node, ops=[other()]) for other in COMPARISONS[type(node.ops[0])])


def of_boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for index in range(len(node.values)):
        rest = without(node.values, index)
        yield rest[0] if len(rest) == 1 else changed(node, values=rest)


def of_elements(node: ast.Tuple | ast.List | ast.Set) -> Iterator[ast.AST]:
    if isinstance(node, ast.Set) or isinstance(node.ctx, ast.Load):
        yield from (changed(node, elts=without(node.elts, index)) for index in range(len(node.elts)))


def of_return(node: ast.Return) -> Iterator[ast.AST]:
    yield ast.Pass()
    if node.value is not None:
        yield ast.Return()


def nothing(_node: ast.AST) -> Iterator[ast.AST]:
    return iter(())


def removed(_node: ast.AST) -> Iterator[ast.AST]:
    yield ast.Pass()


OPERATORS: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Constant: of_constant,
    ast.Compare: of_compare,
    ast.BoolOp: of_boolean,
    ast.UnaryOp: lambda node: iter([node.operand]),
    ast.BinOp: of_binary,
    ast.Call: of_call,
    ast.Dict: of_dict,
    ast.Tuple: of_elements,
    ast.List: of_elements,
    ast.Set: of_elements,
    ast.If: of_condition,
    ast.IfExp: of_condition,
    ast.While: of_condition,
    ast.match_case: of_condition,
    ast.comprehension: of_condition,
    ast.Match: of_match,
    ast.Assign: of_assign,
    ast.AugAssign: lambda node: iter([ast.Pass(), ast.Assign([node.target], node.value)]),
    ast.Try: lambda node: iter([ast.If(ast.Constant(True), node.body, [])]),
    ast.Return: of_return,
    ast.Expr: removed,
    ast.Raise: removed,
    ast.Break: removed,
    ast.Continue: removed,
}


def is_prose(node: ast.AST) -> bool:
    """What does nothing when it runs, or only tells the type checker something."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
    return False


def places(node: ast.AST) -> Iterator[tuple[ast.AST, Callable[[ast.AST], None]]]:
    """Every node that runs, with a function that puts another in its place. Annotations never run."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "pattern", "ctx"}:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or is_prose(child):
                continue

            def put(other: ast.AST, at: int = index, value: object = value, name: str = name) -> None:
                if isinstance(value, list):
                    value[at] = other
                else:
                    setattr(node, name, other)

            yield child, put
            yield from places(child)


def make_mutants(source: str) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    whole = ast.unparse(tree)
    made: dict[str, Mutant] = {}
    for node, put in places(tree):
        for other in OPERATORS.get(type(node), nothing)(node):
            put(other)
            text = ast.unparse(ast.fix_missing_locations(tree))
            put(node)
            if text != whole and text not in made:
                line = getattr(node, "lineno", 0) or min(
                    getattr(inner, "lineno", 1) for inner in ast.walk(node)
                )
                made[text] = Mutant(line, *shown(node, other), text)
    return sorted(made.values(), key=lambda mutant: mutant.line)


def shown(*nodes: ast.AST) -> tuple[str, ...]:
    """Each on one line; of what is long, where they begin to differ."""
    texts = [" ".join(ast.unparse(node).split()) for node in nodes]
    differing = (at for at, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1)
    same = next(differing, min(map(len, texts)))
    start = 0 if max(map(len, texts)) <= WIDTH else max(0, same - WIDTH // 4)
    return tuple(
        ("..." if start else "") + text[start : start + WIDTH] + ("..." if text[start + WIDTH :] else "")
        for text in texts
    )
