"""Random valid studies, a number each; `python -m tests.fuzz.studies --from 0 --count 2000` runs so many and checks each.

A study's parts are drawn from the tables (operations, distributions, layers, initialisers, optimisers, gradient modes, statistics,
figures, number types), so a new row is reached without a change here, or the generator says that nothing writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from dlspec.spec.ir.types import Shape, Type
from dlspec.spec.model.experiment import Estimate, LossTerm, TrainingPhase, TrainingUpdate
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.model.layers import SKIPS
from dlspec.spec.tables.counters import COUNTERS
from dlspec.spec.tables.distributions import DISTRIBUTIONS
from dlspec.spec.tables.dtypes import DTYPES
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS
from dlspec.spec.tables.initializers import INITIALIZERS
from dlspec.spec.tables.judges import JUDGES
from dlspec.spec.tables.keras_parameters import ACTIVATIONS, CONSTRAINTS
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.operations import CLAIM_FORMS, FORMS, OPERATIONS
from dlspec.spec.tables.optimizers import OPTIMIZERS
from dlspec.spec.tables.stored_types import STORED_TYPES

from .course import LATER, Course
from .data_files import FORMATS, OPTIONS, SETS, Rows
from .expressions import Given, Writer
from .networks import Layers
from .sayings import SAYINGS, say
from .slopes import SLOPES
from .weighed import weigh

DATA = ("fresh", "test", "finite", "with_replacement", "enumerated", "combinations")


def rows() -> set[str]:
    """Every row of the tables that studies are to reach."""
    tables = {
        "operation": OPERATIONS, "distribution": DISTRIBUTIONS, "layer": {**LAYERS, "repeat": 0, "function": 0},
        "activation": ACTIVATIONS, "initialiser": INITIALIZERS, "constraint": {**CONSTRAINTS, "function": 0}, "optimiser": OPTIMIZERS,
        "weights": {**STORED_TYPES, "state": 0, "loss_scale": 0, "left_out": 0}, "mode": GRADIENT_MODES, "statistic": GRADIENT_STATISTICS, "figure": FIGURES,
        "dtype": DTYPES,
        "claim": CLAIM_FORMS, "form": {**FORMS, "indices": 0, "array": 0, "function": 0, "layer output": 0, "layer elsewhere": 0},
        "data": dict.fromkeys((*DATA, "files", "validation", "redraw", "statistics", "weighed")), "file": dict.fromkeys(FORMATS),
        "rows": dict.fromkeys(OPTIONS), "said": dict.fromkeys(SAYINGS),
        "stream": dict.fromkeys(("where", "tests")), "counter": COUNTERS, "judge": JUDGES, "skip": dict.fromkeys(SKIPS),
        "phase": {**TrainingPhase.model_fields, "restart initial": 0}, "update": TrainingUpdate.model_fields, "estimate": Estimate.model_fields,
        "term": LossTerm.model_fields, "patch": dict.fromkeys(("after", "before")), "slope": SLOPES, "later": {**LATER, "averages": 0},
        "example argument": {p.name: 0 for row in LAYERS.values() for p in row.parameters.values() if p.kind == "example"},
    }  # fmt: skip
    return {f"{table} {name}" for table, names in tables.items() for name in names} | {
        "parameter",
        "copies of a network",
    }


@dataclass
class Study:
    """A study as a tree, and the rows of the tables that it has."""

    seed: int
    tree: dict[str, Any]
    seen: set[str] = field(default_factory=set)


def study(seed: int) -> Study:
    """The study of a number."""
    random = Random(seed)
    writer = Writer(random, featured=frozenset(random.sample([*OPERATIONS, *LAYERS], 14)))
    composer = Composer(writer)
    experiment = composer.experiment()
    tree: dict[str, Any] = {"dlspec": 1, "study": f"fuzzed{seed}", "experiments": {"e": experiment}}
    if random.random() < 0.1:
        derived = {"base": "e", "seed": 3, "measures": {"again": "E(1.0)"}}
        tree["experiments"]["d"] = derived
    composer.other_examples()
    composer.free_parameter()
    composer.as_trained()
    composer.rows_of_files()
    composer.derivatives(Random(f"derivatives {seed}"))
    composer.sloped(Random(f"sloped {seed}"))
    say(tree, writer.seen, Random(f"said {seed}"))
    weigh(tree, writer.seen, Random(f"weighed {seed}"))
    return Study(seed, tree, writer.seen)


class Composer(Course):
    """Composes one experiment, part by part; each adds to the names that later parts may use."""

    def __init__(self, writer: Writer) -> None:
        super().__init__(writer)
        self.named: list[str] = []
        """Layers that have names of their own, with the network's."""
        self.layers: list[Given] = []
        self.inputs = {}
        self.sloping, self.whole = {}, {}

    def experiment(self) -> dict[str, Any]:
        """The whole."""
        for part in (
            self.numbers, self.constants, self.clock, self.task, self.functions, self.architecture, self.moments,
            self.slopes, self.outputs, self.shared_out, self.loss, self.gradient, self.estimates, self.training, self.measures,
            self.axes_of, self.claims, self.figures,
        ):  # fmt: skip
            part()
        return self.tree

    def numbers(self) -> None:
        """Number type, seed, replicates."""
        dtype = self.random.choices(list(DTYPES), [4 if name == "float32" else 1 for name in DTYPES])[0]
        self.seen.add(f"dtype {dtype}")
        if dtype != "float32" or self.chance(0.2):
            self.tree["dtype"] = dtype
        self.tree["seed"] = self.random.randint(0, 9)
        self.tree["replicates"] = self.random.choice((1, 1, 2, 3))
        self.weights(Random(f"{dtype} {self.tree['seed']} {self.tree['replicates']}"), dtype)

    def weights(self, random: Random, dtype: str) -> None:
        """Weights of a type of their own, now and then."""
        name = random.choice(list(STORED_TYPES))
        if dtype == "float64" or random.random() > 0.2:
            return
        self.seen.add(f"weights {name}")
        self.tree["weights"] = name
        for key, value in (("state", "float32"), ("loss_scale", "2^8")):
            if random.random() < 0.5:
                self.seen.add(f"weights {key}")
                self.tree[key] = value

    def constants(self) -> None:
        """Constants: c real and k int are swept perhaps, n is a size."""
        plain = Writer(self.random, featured=self.writer.featured, seen=self.seen)
        self.size = self.random.randint(2, 4)
        self.tree["constants"] = {"c": 0.5, "k": 2, "n": self.size}
        if self.chance(0.5):
            shape = self.shape(2)
            self.tree["constants"]["a"] = plain.real(shape, 2)
            self.add(Given("a", Type("real", shape)))
        self.add(Given("c", Type("real")), Given("k", Type("int")), Given("n", Type("int")))

    def other_examples(self) -> None:
        """Measures over some of the examples, and over other test examples: last, so that all else is as it would be without."""
        measures, task = self.tree["measures"], self.tree["task"]
        if self.data in ("finite", "with_replacement") and self.chance(0.3):
            self.seen.add("data redraw")
            drawn = [name for name in task["example"] if name.startswith("x")]
            task["data"]["redraw"] = self.random.sample(drawn, self.random.randint(1, len(drawn)))
        if self.data not in ("fresh", "test") and self.chance(0.3):
            self.seen.add("data statistics")
            name = self.random.choice(list(task["example"]))
            task["statistics"] = {"t0": f"E({name})", "t1": f"E(({name} - t0)^2)"}
            task["example"]["z0"] = f"{name} - t0"
            measures["centred"] = "E(sum(z0^2))" if self.chance(0.5) else "E(sum(z0^2 - t1), on=train)"
        if self.chance(0.2):
            self.seen.add("form int")
            measures["turned"] = self.random.choice(
                ("int(n / 1) + k", "int(2.0 * k) // n", "E(int([c > 0.3, true])[0])")
            )
        if self.chance(0.3):
            self.seen.add("stream where")
            measures["some"] = f"E({self.of_networks(())}, where={self.of_networks(())} > 0)"
            measures["some_of"] = f"quantile({self.of_networks(())}, 0.4, where={self.of_networks(())} > 0)"
        if "y0" in task["example"] and self.data not in ("enumerated", "combinations") and self.chance(0.6):
            self.seen.add("stream tests")
            task["tests"] = {"other": {"y0": f"-({task['example']['y0']})"}}
            measures["elsewhere"] = {"of": f"E({self.of_networks(())})", "on": "other"}
            measures["apart"] = f"E({self.of_networks(())}, on=other) - E({self.of_networks(())}, on=train)"

    def as_trained(self) -> None:
        """A measure in training mode, of networks whose layers draw or mix examples as they do in training."""
        training = self.tree.get("training", {})
        phases = training.get("phases", {}).values()
        sizes = (
            {training["batch"], *(phase.get("batch", training["batch"]) for phase in phases)}
            if "batch" in training
            else {}
        )
        there = training.get("evaluate", {}).get("examples", 4)  # the fewest test examples of the other sources
        if len(sizes) == 1 and max(sizes) <= there and self.data not in ("combinations", "files") and self.chance(0.5):
            self.seen.add("measure mode")
            self.tree["measures"]["as_trained"] = {"of": f"E({self.of_networks(())})", "mode": "training"}

    def free_parameter(self) -> None:
        """A free parameter in a term of the loss and in measures, where no update says which networks it changes."""
        tree, training = self.tree, self.tree.get("training", {})
        if self.taken or not training or self.chance(0.75):
            return
        self.seen.add("parameter")
        shape = self.random.choice(((), (3,), (2, 2)))
        self.seen.add(f"initialiser {(start := self.random.choice(('ones', 'glorot_normal', 'zeros')))}")
        free: dict[str, Any] = {"parameter": list(shape), "initializer": self.random.choice((start, "normal(0, c)"))}
        if self.chance(0.3):
            free["constraint"] = "non_neg"
        tree["architecture"]["free"] = free
        term = tree["loss"]["l0"]
        number = self.random.choice(
            ("0.1 * sum((free - c)^2)", f"sum(free) * {self.number(next(iter(self.networks)))}")
        )
        if isinstance(term, dict):
            term["of"] = f"{term['of']} + {number}"
        else:
            tree["loss"]["l0"] = f"{term} + {number}"
        tree["measures"]["of_free"] = self.random.choice(
            ("sum(free) - sum(initial(free))", f"E({number})", "norm(free.weights)")
        )
        if set(training.get("optimizer", {})) & set(self.networks):
            training["optimizer"]["free"] = self.optimizer()

    def rows_of_files(self) -> None:
        """Measures that say which rows are in which set, where what is read tells."""
        if self.data != "files":
            return
        example, measures = self.tree["task"]["example"], self.tree["measures"]
        for stream in ("train", "test", *(("validation",) if "validation" in self.tree["task"]["data"] else ())):
            for name, text in SETS.items():
                if name in example:
                    measures[f"{stream}_{name}"] = f"E({text}, on={stream})"

    # -- task ------------------------------------------------------------------------------------------------------

    def task(self) -> None:
        """Draws, examples, and where these come from."""
        self.data = self.random.choices(DATA, (4, 1, 2, 1, 2, 1))[0]
        elsewhere = Random(f"files {self.tree}")
        if self.data == "fresh" and elsewhere.random() < 0.35:
            self.data = "files"
        self.seen.add(f"data {self.data}")
        task: dict[str, Any] = {}
        if self.data == "test":
            task["data"] = {"test": 5}
        elif self.data in ("finite", "with_replacement"):
            task["data"] = {"train": 6, "test": 4}
            if self.chance(0.5):
                task["data"]["validation"] = 3
            if self.data == "with_replacement":
                task["data"]["order"] = "with_replacement"
        elif self.data == "enumerated":
            task["data"] = {"enumerate": "x0"}
        elif self.data == "combinations":  # 66 of 88 are tested
            task["data"] = {"enumerate": ["x0", "x1"], "train": self.random.choice((22, 0.25))}
        task["draw"] = {}
        self.coin = ""
        for place in range(self.random.randint(0, 2)):
            name = f"w{place}"
            task["draw"][name], given = self._draw(name)
            self.add(given)
            if given.type == Type("int", (3,)) and task["draw"][name].startswith("rademacher"):
                self.coin = name
        if self.chance(0.4):
            shape = self.shape(2)
            task["draw"]["v"] = self.writer.real(shape)
            self.add(Given("v", Type("real", shape)))
        if not task["draw"]:
            del task["draw"]
        task["example"] = {}
        if self.data == "enumerated":
            text = self.random.choice((f"rademacher([{self.size}])", "bernoulli(0.5, [n])"))
            self.seen.add(f"distribution {text.partition('(')[0]}")
            task["example"]["x0"] = text
            self.add(Given("x0", Type("int", (self.size,))))
        elif self.data == "files":
            self.rows = Rows(elsewhere, self.seen)
            task["data"], task["example"], names = self.rows.compose()
            self.add(*names)
        elif self.data == "combinations":
            self.seen.update(("distribution integer", "distribution rademacher"))
            task["example"] |= {"x0": "integer(11)", "x1": "rademacher([3])"}
            self.add(Given("x0", Type("int")), Given("x1", Type("int", (3,))))
        else:
            for place in range(self.random.randint(1, 3)):
                name = f"x{place}"
                task["example"][name], given = self._draw(name)
                self.add(given)
        self.counters()
        for place in range(self.random.randint(0, 2)):
            shape = self.shape(2)
            task["example"][f"y{place}"] = self.writer.real(shape, 3)
            self.add(Given(f"y{place}", Type("real", shape)))
        self.tree["task"] = task

    def _draw(self, name: str) -> tuple[str, Given]:
        """A draw, and the name that it gets."""
        row = (
            DISTRIBUTIONS["rademacher"]
            if name == "w0" and self.chance(0.3)
            else self.random.choice(list(DISTRIBUTIONS.values()))
        )
        if self.chance(0.06):
            self.seen.add("form choice")
            weights = self.random.choice(("", ", [1, 2, 1]", ", softmax([c, 1, 0.5])"))
            return f"choice([0.5, c, 2]{weights}, shape=[3])", Given(name, Type("real", (3,)))
        self.seen.add(f"distribution {row.name}")
        shape = self.random.choice(((), (3,), (self.size,), (2, 3), (4, 4), (3, 2, 1)))
        if name == "w0" and row.name == "rademacher":
            shape = (3,)
        below, arguments = 0, []
        if row.name in ("integer", "permutation", "subset"):
            below = self.random.randint(2, 5)
            arguments = [str(below)]
        if row.name == "subset":
            arguments.append(str(self.random.randint(1, below)))
        event = {"permutation": (below,), "subset": (int(arguments[1]),) if len(arguments) > 1 else ()}.get(row.name)
        if row.name == "bernoulli":
            arguments, below = [self.random.choice(("0.5", "0.3", "sigmoid(c)"))], 2
        if row.name == "categorical":
            arguments, below = [self.random.choice(("[1, 2, 1]", "softmax([c, 1, 0.5])", "[0.2, 0.8, 0]"))], 3
        if row.name in ("normal", "truncated_normal", "uniform", "laplace", "exponential") and self.chance(0.5):
            if row.name == "exponential":
                arguments = ["c + 1"]
            else:
                arguments = [self.random.choice(("0", "c - 1.0", "0.5")), self.random.choice(("1", "2.5", "c + 1"))]
                shape = shape or (2,)
        if row.name in ("gamma", "beta", "student_t", "poisson"):
            arguments = {
                "gamma": ["c + 1", "2"],
                "beta": ["0.5", "c + 1"],
                "student_t": ["c + 5"],
                "poisson": ["c + 1"],
            }[row.name]
        if row.name == "orthogonal_matrix":
            return "orthogonal_matrix(3)", Given(name, Type("real", (3, 3)))
        if row.name == "multivariate_normal":
            return "multivariate_normal([c, 1.0], [[2.0, 0.5], [0.5, 1.0]])", Given(name, Type("real", (2,)))
        if event is not None:
            return f"{row.name}({', '.join(arguments)})", Given(name, Type("int", event), below)
        copies = [f"[{', '.join(map(str, shape))}]"] if shape else []
        return f"{row.name}({', '.join([*arguments, *copies])})", Given(name, Type(row.kind, shape), below)

    def functions(self) -> None:
        """Functions of one or two numbers."""
        found: list[tuple[str, int]] = []
        bodies = {}
        for place in range(self.random.randint(0, 2)):
            name, count = f"g{place}", self.random.randint(1, 2)
            parameters = ["p", "q"][:count]
            body = self.random.choice(
                ("tanh({0}) + {1}", "{0} * sigmoid({1} - c)", "relu({0}) - 0.5 * {1}", "{0} if {0} > 0 else 0.1 * {1}",
                 "sign({0}) * sqrt(abs({1}) + 1)", "floor_to({0}, linspace(-1, 1, 3)) + 0 * {1}", "clip({0}, -1, 1) + {1}")
            )  # fmt: skip
            bodies[f"{name}({', '.join(parameters)})"] = body.format(parameters[0], parameters[-1])
            found.append((name, count))
        if bodies:
            self.tree["functions"] = bodies
            self.writer.functions = tuple(found)

    # -- networks --------------------------------------------------------------------------------------------------

    def architecture(self) -> None:
        """One or two networks."""
        self.tree["architecture"] = {}
        for name in ("f", "h")[: self.random.choice((1, 1, 1, 2))]:
            self.tree["architecture"][name], output = self._network(name)
            self.networks[name] = output
        self.add(*(Given(name, Type("real", shape)) for name, shape in self.networks.items()))
        if self.chance(0.15):
            self.tree["layer_defaults"] = {"use_bias": self.chance(0.5), "kernel_initializer": "he_normal"}

    def _network(self, name: str) -> tuple[dict[str, Any], Shape]:
        layers = Layers(self.writer, self.data in ("fresh", "test", "finite", "files"))
        kind = self.random.choices(("vector", "sequence", "image", "words", "any"), (5, 2, 2, 1, 1))[0]
        shape: Shape = {
            "vector": (self.random.randint(1, 4),), "sequence": (3, 2), "image": (4, 4, self.random.randint(1, 2)),
            "words": (3,), "any": self.shape(2) or (2,),
        }[kind]  # fmt: skip
        network: dict[str, Any] = {}
        each = None
        if kind == "words":
            network["input"] = self.writer.below(5, shape)
            if not network["input"].startswith("clip"):
                network["input"] = f"clip({network['input']}, 0, 4)"
        else:
            if kind == "vector" and self.chance(0.2):
                each = self.random.randint(1, 3)
            network["input"] = self.writer.real(shape if each is None else (each, *shape), 2)
            if each is not None:
                network["each"] = each
        if kind != "words":
            self.inputs[name] = shape if each is None else (each, *shape)
        found, shape = layers.some(shape, self.random.randint(0, 3), kind == "words")
        if len(shape) > 1 and self.chance(0.7):
            self.seen.add("layer flatten")
            found.append("flatten")
            shape = (shape[0] * shape[1] * (shape[2] if len(shape) > 2 else 1),)
        if self.chance(0.8) or not any(isinstance(item, dict) and "dense" in item for item in found):
            units = self.random.choice((1, 1, 2, 3))
            if shape:
                found.append(layers.dense(units))
                shape = (*shape[:-1], units)
        shape = shape[:-1] if found and _units(found[-1]) == 1 else shape
        network["layers"] = found
        lead = (each,) if each is not None else ()
        own_random = Random(repr(network))  # all other choices stay as they are
        if own_random.random() < 0.12:
            network["copies"] = own_random.randint(1, 3)
            self.seen.add("copies of a network")
            lead = (network["copies"], *lead)
        for own, given in layers.given.items():
            self.layers.append(Given(f"{name}.{own}", Type("real", (*lead, *given))))
        for item in found:
            inner = next(iter(item.values())) if isinstance(item, dict) else None
            if isinstance(inner, dict) and "name" in inner and "repeat" not in item:
                self.named.append(f"{name}.{inner['name']}")
                if "dense" in item or "conv1d" in item or "conv2d" in item:
                    self.kernels.append(f"{name}.{inner['name']}.kernel")
        return network, (*lead, *shape)

    def outputs(self) -> None:
        """Named predictions."""
        if self.chance(0.4):
            shape = self.shape(1)
            self.tree["outputs"] = {"o": self.of_networks(shape)}
            self.add(Given("o", Type("real", shape)))

    def loss(self) -> None:
        """One to three terms."""
        self.tree["loss"] = {}
        for place in range(len(self.taken) or self.random.choice((1, 1, 2, 3))):
            network = self.taken[place] if self.taken else self.random.choice(list(self.networks))
            entry: dict[str, Any] = {"of": self._term(network)}
            if self.chance(0.3):
                entry["weight"] = self.random.choice((0.5, "c", "1 / (1 + step)", "exp(-step)"))
            if self.taken and not self.by_updates:
                entry["trains"] = self.trains(network)
            self.seen.update(f"term {field}" for field in entry)
            self.tree["loss"][f"l{place}"] = entry if len(entry) > 1 else entry["of"]

    def _term(self, name: str) -> str:
        number, w = self.number(name), self.writer
        choice = self.random.choice(
            ("square", "hinge", "logistic", "huber", "classes", "any", "any", "weights", "again", "batch")
        )
        if choice in ("square", "huber", "hinge", "logistic"):
            other = w.real((), 2)
            self.seen.add(f"operation {choice}")
            return {
                "square": f"({number} - {other})^2", "huber": f"huber({number}, {other}, 1)",
                "hinge": f"hinge(sign({other}), {number})", "logistic": f"logistic({other}, {number})",
            }[choice]  # fmt: skip
        shape = self.networks[name]
        if choice == "classes" and len(shape) == 1:
            self.seen.add("operation cross_entropy")
            return f"cross_entropy({name}, {w.below(shape[0])})"
        if choice == "weights":
            return f"0.1 * squared_norm({name}.weights) + {number}"
        if choice == "batch":
            self.seen.add("form B")
            coupled = "batch_normalization" in str(self.tree["architecture"][name])
            of = number if coupled or self.chance(0.5) else f"gradient({number}, {name}.weights)"
            return f"0.1 * squared_norm(B({of})) + {number}"
        if choice == "again":
            network = self.tree["architecture"][name]
            return (
                f"squared_norm({name} - {name}(0.5 * ({network['input']})))"
                if "clip" not in network["input"]
                else number
            )
        return f"tanh({w.real((), 3)}) * {number}"

    def gradient(self) -> None:
        """Modes for networks, layers and functions."""
        modes: dict[str, Any] = {}
        if self.straight:
            return
        targets = [*self.networks, *self.named, *(name for name, _ in self.writer.functions)]
        for target in self.random.sample(targets, min(len(targets), self.random.choice((0, 0, 1, 2)))):
            function = target in dict(self.writer.functions)
            kind = "function" if function else "layer" if "." in target else "network"
            row = self.random.choice([row for row in GRADIENT_MODES.values() if kind in row.targets])
            if row.route == "carrier" and not function:
                continue
            self.seen.add(f"mode {row.name}")
            expression = "tanh(p)" if dict(self.writer.functions).get(target, 1) == 1 else "tanh(p) + q"
            value = self.random.choice((0.5, "0.5 + 0.2 * step")) if row.takes_constant else expression
            self.seen.update(["number in time"] if value == "0.5 + 0.2 * step" else [])
            modes[target] = row.name if row.argument is None else {row.name: value}
        if modes:
            self.tree["gradient"] = modes


def _units(entry: Any) -> Any:
    """The units of a dense layer."""
    inner = entry.get("dense") if isinstance(entry, dict) else None
    return inner["units"] if isinstance(inner, dict) else inner


if __name__ == "__main__":
    from .runs import main

    main()
