"""Questions about graphs that proofs and times ask: what is reached, at what cost, and which nodes reach each other.

Knows names and edges. Must not know flows. No function recurses: a flow may have 10,000 steps in one row.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import TypeVar

Node = TypeVar("Node")
"""What can be ordered and hashed: a name, or a name and a level."""


def reached_from(start: str, after: Callable[[str], Iterable[str]]) -> set[str]:
    """Return every node that is reached from `start`, itself included."""
    reached = {start}
    todo = [start]
    while todo:
        for target in after(todo.pop()):
            if target not in reached:
                reached.add(target)
                todo.append(target)
    return reached


def strong_parts(edges: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Return the strongly connected parts, a part before those that lead to it (Tarjan, SIAM J. Comput. 1(2), 1972)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    place: dict[str, int] = {}  # where on the stack a node stands, while it does
    for root in edges:
        if root in number:
            continue
        work = [(root, iter(edges[root]))]
        number[root] = lowest[root] = len(number)
        place[root] = len(stack)
        stack.append(root)
        while work:
            node, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    part = stack[place[node] :]
                    del stack[place[node] :]
                    for done in part:
                        del place[done]
                    yield part
            elif target not in number:
                number[target] = lowest[target] = len(number)
                place[target] = len(stack)
                stack.append(target)
                work.append((target, iter(edges[target])))
            elif target in place:
                lowest[node] = min(lowest[node], number[target])


def nearest(start: Node, edges: Callable[[Node], Iterator[tuple[Node, float]]]) -> dict[Node, float]:
    """Return the least cost to each node that is reached (Dijkstra, Numer. Math. 1, 1959)."""
    found: dict[Node, float] = {}
    todo: list[tuple[float, Node]] = [(0, start)]
    while todo:
        away, node = heapq.heappop(todo)
        if node in found:
            continue
        found[node] = away
        for target, cost in edges(node):
            if target not in found and cost < inf:
                heapq.heappush(todo, (away + cost, target))
    return found
