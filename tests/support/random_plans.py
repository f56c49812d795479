"""Random plans with the values that their goals must have, from an evaluator without an engine."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.support.plans_and_runs import image, write_image
from voxk8s.execution import load_plan
from voxk8s.kernels import registry
from voxk8s.plan import WorkPlan
from voxk8s.values import Image, SavedFile

Form = dict[str, Any]
LONGEST_LOOP: Final = 5


class _Failed:
    """Stands for the value of what cannot be computed."""

    def __repr__(self) -> str:
        return "a failure"


FAILED: Final = _Failed()


@dataclass(frozen=True)
class Perhaps:
    """A value, or a failure: an item of a sequence of which another item has failed.

    The item alone may be computed where the plan shows which one it is.
    """

    value: object


@dataclass(frozen=True)
class Inputs:
    """A folder of images that plans load and list."""

    folder: Path
    images: Mapping[str, Image]

    @classmethod
    def write(cls, folder: Path) -> Inputs:
        """Write some small images."""
        folder.mkdir(parents=True, exist_ok=True)
        images = {}
        for number in range(3):
            path = write_image(folder / f"i{number}.nii.gz", float(number), (2, 3, 2 + number % 2))
            images[path] = image((2, 3, 2 + number % 2), float(number))
        return cls(folder, images)


@dataclass(frozen=True)
class RandomPlan:
    """A plan, and what each goal must be: a value, FAILED or Perhaps."""

    plan: WorkPlan
    expected: Mapping[str, object]

    @property
    def fails(self) -> bool:
        """Whether a goal may fail."""
        return any(
            value is FAILED or isinstance(value, Perhaps) for value in self.expected.values()
        )


def random_plan(inputs: Inputs, shared: object, own: object, size: int = 14) -> RandomPlan:
    """Make a plan; plans with the same `shared` seed begin with the same operations."""
    maker = _Maker(inputs, random.Random(f"{shared}"), f"{shared}")
    for _ in range(size // 2):
        maker.grow()
    maker.chance = random.Random(f"{shared} {own}")
    for _ in range(maker.chance.randrange(1, size)):
        maker.grow()
    return maker.finish()


def differs(expected: object, given: object) -> bool:
    """Whether a value is not the expected one."""
    if isinstance(expected, Image):
        same = isinstance(given, Image) and np.array_equal(
            expected.array, given.array, equal_nan=True
        )
        return not same
    if isinstance(expected, SavedFile):
        return not isinstance(given, SavedFile) or expected.data != given.data
    if isinstance(expected, list):
        if not isinstance(given, list) or len(given) != len(expected):
            return True
        return any(differs(one, other) for one, other in zip(expected, given, strict=True))
    if isinstance(given, Image | list):
        return True
    is_nan = expected != expected
    return bool(given == given if is_nan else expected != given)


class _Maker:
    """Adds random nodes to a document, and evaluates each at once."""

    def __init__(self, inputs: Inputs, chance: random.Random, salt: str) -> None:
        self.chance = chance
        self._inputs = inputs
        self._salt = float(random.Random(salt).randrange(1000))
        self._forms: list[Form] = []
        self._values: dict[str, object] = {}
        self._count = 0
        for value in (0.0, 1.0, 2.0, 3.0, self._salt):
            self._add({"type": "constant", "value": value})
        sum_ = self._operate("addition", self._constant(1.0), self._constant(self._salt))
        self._operate("sequence", self._constant(2.0), sum_)

    def grow(self) -> None:
        """Add one operation, or a loop."""
        chance = self.chance
        match chance.randrange(20):
            case 0 | 1 | 2 | 3:
                operator = chance.choice(("addition", "subtraction", "multiplication"))
                self._operate(operator, self._any(), self._number())
            case 4 | 5:
                self._operate("test.identity", self._any())
            case 6:
                times = self._constant(float(chance.randrange(1, 3)))
                self._operate("test.fail_times", times, self._any())
            case 7 if chance.random() < 0.5:
                self._operate("test.fail", self._constant(f"no {chance.randrange(3)}"))
            case 7 | 8:
                self._operate("sequence", *(self._any() for _ in range(chance.randrange(4))))
            case 9:
                self._operate("division", self._number(), self._number())
            case 10 | 11:
                self._range()
            case 12:
                self._operate("index", self._sequence(), self._constant(float(chance.randrange(3))))
            case 13:
                path = self._constant(chance.choice(list(self._inputs.images)))
                loaded = self._operate("load", path)
                self._operate("addition", loaded, self._number())
            case 14:
                self._operate("dir", self._constant(str(self._inputs.folder)))
            case 15:
                mask = self._operate("vox1.gt_sv", self._number(), self._image())
                self._operate("vox1.volume", mask)
            case 16:
                # Too many numbers for a record: they go to a blob.
                length = self._operate("addition", self._constant(1200.0), self._constant(1.0))
                numbers = self._operate("range", length)
                large = self._operate("multiplication", numbers, self._number())
                self._operate("index", large, self._constant(float(chance.randrange(1200))))
            case _:
                self._loop()

    def finish(self) -> RandomPlan:
        """Choose goals and check the document."""
        chance = self.chance
        goals: list[Form] = []
        expected: dict[str, object] = {}
        names = [
            form["id"]
            for form in self._forms
            if form["type"] == "operation" or chance.random() < 0.1
        ]
        names = [name for name in names if not isinstance(self._values[name], _Closure)]
        chosen = chance.sample(names, min(len(names), chance.randrange(1, 7)))
        for number, node in enumerate(chosen):
            value = strict(self._values[node])
            plain = value.value if isinstance(value, Perhaps) else value
            if chance.random() < 0.3 and not isinstance(plain, SavedFile):
                suffix = ".nii.gz" if isinstance(plain, Image) else ".json"
                name = f"g{number}{suffix}"
                goals.append({"operation": "save", "id": node, "name": name})
                value = _apply("voxk8s.save", [value], suffix)
            else:
                name = f"g{number}"
                goals.append({"operation": "print", "id": node, "name": name})
            expected[name] = value
        document = {"imports": ["vox1"], "nodes": self._forms, "goals": goals}
        return RandomPlan(load_plan(document), expected)

    def _range(self) -> None:
        low = self._pick(lambda value: _is_small(value) or value is FAILED)
        length = self._operate("test.identity", low) if self.chance.random() < 0.5 else low
        numbers = self._operate("range", length)
        if self.chance.random() < 0.5:
            self._operate("addition", numbers, self._number())

    def _loop(self) -> None:
        def fits(value: object) -> bool:
            value = value.value if isinstance(value, Perhaps) else value
            return value is FAILED or (isinstance(value, list) and len(value) <= LONGEST_LOOP)

        sequence = self._pick(fits)
        is_fold = self.chance.random() < 0.3
        captures = {f"c{number}": self._any() for number in range(self.chance.randrange(3))}
        if is_fold:
            captures["accumulator"] = self._number()
        body = self._body(captures, depth=0)
        closure = self._add(body)
        self._operate("fold" if is_fold else "map", closure, sequence)

    def _body(self, captures: Mapping[str, str], depth: int) -> Form:
        """Return a closure whose operations are random, with loops inside."""
        chance = self.chance
        nodes: list[Form] = []
        names: list[str] = []
        variable = f"x{depth}"

        def add(**form: object) -> str:
            name = f"{variable}n{len(nodes)}"
            nodes.append({"id": name, **form})
            names.append(name)
            return name

        def operate(operator: str, *arguments: str) -> str:
            form = {str(place): name for place, name in enumerate(arguments)}
            return add(type="operation", operator=operator, arguments=form)

        item = add(type="parameter", name=variable)
        given = [add(type="parameter", name=name) for name in captures]
        add(type="constant", value=chance.choice((0.0, 1.0, 2.0, self._salt)))
        last = item
        if "accumulator" in captures:
            last = operate("addition", given[-1], item)
        for _ in range(chance.randrange(1, 4)):
            other = chance.choice(names)
            match chance.randrange(8):
                case 0 | 1 | 2:
                    operator = chance.choice(("addition", "multiplication", "division"))
                    last = operate(operator, last, other)
                case 3 | 4:
                    last = operate("test.identity", last)
                case 5:
                    one = add(type="constant", value=1.0)
                    last = operate("test.fail_times", one, last)
                case _ if depth < 2 and "accumulator" not in captures:
                    items = operate("sequence", *chance.sample(names, min(len(names), 2)))
                    if chance.random() < 0.5:
                        items = operate("test.identity", items)
                    inner = self._body({f"d{depth}": last}, depth + 1)
                    inner.pop("id", None)
                    closure = f"{variable}f{len(nodes)}"
                    nodes.append({"id": closure, **inner})
                    last = operate("map", closure, items)
                case _:
                    last = operate("subtraction", last, other)
        return {
            "type": "closure",
            "variable": variable,
            "captures": dict(captures),
            "nodes": nodes,
            "result": last,
        }

    # ---

    def _pick(self, fits: Any) -> str:
        found = [name for name, value in self._values.items() if fits(value)]
        # The latest ones make long chains.
        return self.chance.choice(found[-6:] if self.chance.random() < 0.6 else found)

    def _any(self) -> str:
        return self._pick(
            lambda value: not isinstance(value, _Closure | str) and not _is_long(value)
        )

    def _number(self) -> str:
        return self._pick(lambda value: isinstance(value, float) and abs(value) < 1e6)

    def _sequence(self) -> str:
        found = [name for name, value in self._values.items() if isinstance(value, list)]
        return self.chance.choice(found) if found else self._operate("sequence", self._number())

    def _image(self) -> str:
        found = [name for name, value in self._values.items() if isinstance(value, Image)]
        if found:
            return self.chance.choice(found)
        return self._operate("load", self._constant(next(iter(self._inputs.images))))

    def _constant(self, value: float | str) -> str:
        for name, known in self._values.items():
            if type(known) is type(value) and known == value and name.startswith("k"):
                return name
        return self._add({"type": "constant", "value": value})

    def _operate(self, operator: str, *arguments: str) -> str:
        form = {str(place): name for place, name in enumerate(arguments)}
        return self._add({"type": "operation", "operator": operator, "arguments": form})

    def _add(self, form: Form) -> str:
        name = f"{'k' if form['type'] == 'constant' else 'n'}{self._count}"
        self._count += 1
        self._forms.append({"id": name, **form})
        self._values[name] = _evaluate(form, self._values, {}, self._inputs)
        return name


@dataclass(frozen=True)
class _Closure:
    form: Form
    captured: Mapping[str, object]
    inputs: Inputs

    def __call__(self, item: object, **more: object) -> object:
        scope = {**self.captured, **more, self.form["variable"]: item}
        values: dict[str, object] = {}
        for form in self.form["nodes"]:
            values[form["id"]] = _evaluate(form, values, scope, self.inputs)
        return values[self.form["result"]]


def _evaluate(
    form: Form, values: Mapping[str, object], scope: Mapping[str, object], inputs: Inputs
) -> object:
    match form["type"]:
        case "constant":
            return form["value"]
        case "parameter":
            return scope[form["name"]]
        case "closure":
            captured = {name: values[node] for name, node in form["captures"].items()}
            return _Closure(form, captured, inputs)
    arguments = [values[node] for node in form["arguments"].values()]
    match form["operator"]:
        case "map" | "fold" as operator:
            return _loop(operator, arguments[0], arguments[1])  # type: ignore[arg-type]
        case "sequence":
            return arguments
        case "index":
            return _index(*arguments)
        case "load":
            return inputs.images[str(arguments[0])]
        case "dir":
            return sorted(os.listdir(inputs.folder))
        case operator:
            return _apply(operator, arguments)


def _loop(operator: str, closure: _Closure, sequence: object) -> object:
    uncertain = isinstance(sequence, Perhaps) or strict(sequence) is FAILED
    items = sequence.value if isinstance(sequence, Perhaps) else sequence
    if not isinstance(items, list):
        return FAILED
    result: object
    if operator == "map":
        result = [closure(item) for item in items]
        if uncertain and isinstance(result, list):
            result = [_perhaps(each) for each in result]
            return result or Perhaps(result)
        return result
    result = closure.captured["accumulator"]
    for item in items:
        result = closure(item, accumulator=result)
    return _perhaps(result) if uncertain else result


def _perhaps(value: object) -> object:
    return value if value is FAILED or isinstance(value, Perhaps) else Perhaps(value)


def _index(sequence: object, position: object) -> object:
    uncertain = isinstance(sequence, Perhaps) or strict(sequence) is FAILED
    items = sequence.value if isinstance(sequence, Perhaps) else sequence
    if not isinstance(items, list) or not isinstance(position, float):
        return FAILED
    if not position.is_integer() or not 0 <= position < len(items):
        return FAILED
    item = items[int(position)]
    return _perhaps(item) if uncertain else item


def strict(value: object) -> object:
    """Return a value of which every item is needed: FAILED if one has failed."""
    kinds = set(_kinds(value))
    if "failed" in kinds:
        return FAILED
    return Perhaps(_plain(value)) if "perhaps" in kinds else value


def _kinds(value: object) -> Iterator[str]:
    if value is FAILED:
        yield "failed"
    elif isinstance(value, Perhaps):
        yield "perhaps"
        yield from _kinds(value.value)
    elif isinstance(value, list):
        for item in value:
            yield from _kinds(item)


def _plain(value: object) -> object:
    if isinstance(value, Perhaps):
        return _plain(value.value)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _apply(operator: str, arguments: Sequence[object], suffix: str = "") -> object:
    from voxk8s.formats.encode_file import encode_file

    given = [strict(argument) for argument in arguments]
    if any(argument is FAILED for argument in given):
        return FAILED
    plain: list[Any] = [_plain(argument) for argument in given]
    result: object
    try:
        match operator:
            case "test.identity":
                result = plain[0]
            case "test.fail_times":
                result = plain[1]
            case "test.fail":
                return FAILED
            case "voxk8s.save":
                result = encode_file(plain[0], suffix)
            case _:
                name = operator if "." in operator else f"default.{operator}"
                result = registry().function(name)(*plain)
    except Exception:  # noqa: BLE001 - whatever a kernel raises, its operation has failed
        return FAILED
    return Perhaps(result) if any(isinstance(each, Perhaps) for each in given) else result


def _is_small(value: object) -> bool:
    return isinstance(value, float) and value.is_integer() and 0 <= value <= LONGEST_LOOP


def _is_long(value: object) -> bool:
    if isinstance(value, Perhaps):
        return _is_long(value.value)
    return isinstance(value, list) and (len(value) > 20 or any(map(_is_long, value)))
