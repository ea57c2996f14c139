"""How a random experiment is trained: phases, updates, optimisers, estimates, and the names that tell of time."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

from dlspec.spec.ir.types import Shape, Type
from dlspec.spec.tables.counters import COUNTERS
from dlspec.spec.tables.gradient_modes import GRADIENT_MODES
from dlspec.spec.tables.layers import LAYERS
from dlspec.spec.tables.optimizers import OF_ONE_WEIGHT, OPTIMIZERS

from .asked import STEPS, Asked
from .expressions import Given
from .slopes import SLOPES, at, defined, fitting, used

LATER = {
    "with_weights": "0.1 * with_weights({number}, {network}.weights, 0.5 * {network}.weights + 0.1)",
    "sharpness": "0.1 * with_weights({number}^2, {network}.weights, {network}.weights + 0.05 * stop(B(gradient({number}^2, {network}.weights))))",
    "hessian_vector": "0.01 * sum(hessian_vector({number}^2, {network}.weights, 0.1 * {network}.weights))",
    "slope": "tanh(mean({slope}(c + {number})))",
    "average": "0.1 * ({number} - average({number}))^2",
}  # fmt: skip
"""Terms of the loss of a later phase, besides those that look back at the first."""
AT_ONE_INPUT = [
    row.name for row in LAYERS.values() if row.draws or row.draws_above_zero or row.untrained or row.estimated_from
]
"""Layers of networks that no loop applies."""


class Course(Asked):
    """Writes it, and adds what may be named because of it to the names that later parts may use."""

    phases: dict[str, int]
    """How often each phase is passed, by name; none where `steps` stands in their place."""
    averages: bool
    """Whether every optimiser keeps moving averages of the weights."""
    averaging: str
    """The phase whose optimisers alone keep them, if any."""
    taken: tuple[str, ...]
    """The networks that have an update, or a term that trains them, of their own; term i of the loss is that of network i."""
    late: tuple[Given, ...]
    """Names that have no value before the first phase has ended."""
    layers: list[Given]
    """What layers give that have names of their own."""
    named: list[str]
    inputs: dict[str, Shape]
    """The shape of each network's input, if that is real."""
    sloping: dict[str, tuple[str, int]]
    """Functions that are derivatives by a parameter, of whatever they are given, by their rows."""
    whole: dict[str, Given]
    """Uses of those that want a network's input."""
    straight: bool = False
    """Whether products with vectors are taken, which want no gradient modes on the way."""

    def clock(self) -> None:
        """Whether there are phases, and the counters."""
        self.phases, self.late = {}, ()
        if self.chance(0.3):
            self.phases = self.random.choice(({"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2}))
        self.averages = self.chance(0.12)
        apart = Random(f"averages {self.tree}")
        self.averaging = (
            apart.choice([*self.phases]) if len(self.phases) > 1 and not self.averages and apart.random() < 0.4 else ""
        )

    def counters(self) -> None:
        """The names that tell the time, for examples and what is made of them."""
        if not self.phases and not self.chance(0.2):
            return
        names = [*COUNTERS] if self.phases else ["step"]
        counted = sum(self.phases.values()) or STEPS
        below = {"step": counted + 3, "phase": counted, "phase_step": 3}  # a variant makes a phase longer
        for name in self.random.sample(names, self.random.randint(1, len(names))):
            self.add(Given(name, Type("int"), below.get(name, 2), (f"counter {name}",)))

    def add(self, *names: Given) -> None:
        """Lets later parts use names."""
        self.writer = self.writer.with_names(*names)

    # -- weights of other times, layers' outputs, gradients -----------------------------------------------------------

    def moments(self) -> None:
        """Values at the weights of another time, what layers give, and gradients with respect to names of the example."""
        found = [Given(layer.text, layer.type, 0, ("form layer output",)) for layer in self.layers if self.chance(0.5)]
        for name, shape in self.networks.items():
            if self.chance(0.2):
                found.append(Given(f"initial({name})", Type("real", shape), 0, ("form initial",)))
            if self.averages or self.averaging:
                for form in ("average", "current"):
                    found.append(Given(f"{form}({name})", Type("real", shape), 0, (f"form {form}",)))
            if (given := self._entered(name)) and self.chance(0.8):
                found.append(self._derivative(name, shape, given))
            found += self._layers_of(name)
            found += self._at_other_weights(name, shape)
        self.add(*found)
        if self.phases and ("b" in self.phases or self.phases["a"] > 1):
            self.late = tuple(self._after(name, shape) for name, shape in self.networks.items())

    def slopes(self) -> None:
        """Functions that are derivatives by their own parameters, by a choice of their own: all else is as it would be without."""
        random = Random(f"slopes {self.tree}")
        if random.random() < 0.6:
            return
        network = random.choice([*self.networks])
        known = self.known_of(network)
        rows = fitting({name: row.body for name, row in SLOPES.items()}, known)
        rows += [row for row in rows if "{" in SLOPES[row].body]  # what few experiments have
        for place, row in enumerate(dict.fromkeys(random.sample(rows, random.randint(1, 2)))):
            name, slope = f"s{place}", SLOPES[row]
            self.tree.setdefault("functions", {}).update([defined(name, slope, known)])
            self.straight = self.straight or slope.straight
            if slope.whole:
                self.whole[row] = used(name, row, f"{known['number']} + {known['input']}", self.inputs[network], random)
            else:
                self.sloping[row] = (name, slope.parameters)
        self.add(*self.whole.values())
        self.writer = replace(
            self.writer, functions=(*self.writer.functions, *self.sloping.values()),
            moving={name: known["number"] for name, _ in self.sloping.values()},
        )  # fmt: skip

    def known_of(self, network: str) -> dict[str, str]:
        """What slopes and terms of later phases may name of a network, as far as there is any."""
        text = str(self.tree["architecture"][network])
        number = f"sum({network})" if self.networks[network] else network
        given = self._entered(network)
        known = {
            "network": network, "number": number, "name": given.text if given else "",
            "function": next((name for name, count in self.writer.functions if count == 1), ""),
            "slope": next((name for name, count in self.sloping.values() if count == 1), ""),
        }  # fmt: skip
        if network in self.inputs and not any(layer in text for layer in AT_ONE_INPUT):
            known |= {
                "input": f"({self.tree['architecture'][network]['input']})",
                "number_there": at(number, network, "p"),
            }
        return {name: text for name, text in known.items() if text}

    def sloped(self, random: Random) -> None:
        """A measure of each of these functions, so that none is there in vain."""
        plain = replace(self.writer, random=random, functions=())
        for row, (name, count) in self.sloping.items():
            self.seen.add(f"slope {row}")
            first, items = plain.given(name, random.choice(((), (3,), (2, 2))), 1), plain.given(name, (2,), 1)
            text = f"{name}({first})" if count == 1 else f"{name}({first}, ({items})[0])"
            if random.random() < 0.5:
                text = (
                    f"iterate({name}, 1.0 * ({first}), {random.choice((2, 9))})"
                    if count == 1
                    else f"scan({name}, 1.0 * ({first}), {items})"
                )
            self.tree["measures"][f"of_{name}"] = f"E(mean({text}))"
        for row, given in self.whole.items():
            self.seen.add(f"slope {row}")
            self.tree["measures"][f"m_{row.replace(' ', '_')}"] = f"E(mean({given.text}))"

    def _layers_of(self, name: str) -> list[Given]:
        """What a layer gives on another input, and at the first weights."""
        own = [layer for layer in self.layers if layer.text.startswith(f"{name}.")]
        network = self.tree["architecture"][name]
        if not own or "clip" in str(network["input"]):
            return []
        layer, found = self.random.choice(own), []
        path = layer.text.removeprefix(f"{name}.")
        if self.chance(0.3):
            found.append(Given(f"{name}(0.5 * ({network['input']})).{path}", layer.type, 0, ("form layer elsewhere",)))
        if self.chance(0.3):
            found.append(Given(f"initial({name}).{path}", layer.type, 0, ("form initial",)))
        return found

    def _at_other_weights(self, name: str, shape: Shape) -> list[Given]:
        """A network at other weights than its own, by a choice of its own: all else is as it would be without."""
        chosen = Random(f"weights of {name} {self.tree}")
        own = f"{name}.weights"
        kernels = [kernel for kernel in self.kernels if kernel.startswith(f"{name}.")]
        if kernels and chosen.random() < 0.3:
            own = chosen.choice(kernels)
        values = [
            f"0.5 * {own}",
            f"stop({own}) + 0.1",
            f"0.7 * {own} + 0.3 * initial({own})",
            f"{own} / (1 + norm({own}))",
        ]
        if chosen.random() < 0.6:
            return []
        return [
            Given(
                f"with_weights({name}, {own}, {chosen.choice(values)})", Type("real", shape), 0, ("form with_weights",)
            )
        ]

    def _derivative(self, name: str, shape: Shape, given: Given) -> Given:
        """A derivative of a network's output with respect to a name that it is given."""
        form = self.random.choice(("gradient", "jacobian", "directional", "hessian_vector"))
        number = self.number(name)
        if form == "jacobian" and len(shape) + len(given.type.shape) < 4:
            return Given(
                f"jacobian({name}, {given.text})", Type("real", (*shape, *given.type.shape)), 0, ("form jacobian",)
            )
        if form in ("directional", "hessian_vector"):
            self.straight = True
        if form == "directional":
            return Given(
                f"directional({name}, {given.text}, {given.text})", Type("real", shape), 0, ("form directional",)
            )
        if form == "hessian_vector":
            return Given(
                f"hessian_vector({number}, {given.text}, {given.text})", given.type, 0, ("form hessian_vector",)
            )
        return Given(f"gradient({number}, {given.text})", given.type, 0, ("form gradient",))

    def derivatives(self, random: Random) -> None:
        """Derivatives with respect to what networks are given and layers give, in measures and in a term of the loss."""
        if self.modes_said() or "five" in self.tree.get("variants", {}):
            return
        for name, shape in self.networks.items():
            given = self._entered(name)
            own = [layer for layer in self.layers if layer.text.startswith(f"{name}.") and layer.type.kind == "real"]
            if own and random.random() < 0.4:
                given = random.choice(own)
                self.seen.add("form derivative by a layer's output")
            if given is None or random.random() < 0.2:
                continue
            form = random.choice(("jacobian", "directional", "hessian_vector", "gradient"))
            self.seen.add(f"form {form}")
            text = f"{self._derived(form, name, given)} * {self.number(name)}"
            if form == "jacobian" and len(shape) + len(given.type.shape) > 3:
                continue
            self.tree["measures"][f"d_{name}"] = f"E({text})"
            if random.random() < 0.5 and isinstance(term := self.tree["loss"]["l0"], str) and not self.taken:
                self.tree["loss"]["l0"] = f"{term} + 0.01 * {text}"

    def _derived(self, form: str, name: str, given: Given) -> str:
        """A derivative as one number."""
        if form == "jacobian":
            return f"squared_norm(jacobian({name}, {given.text}))"
        if form == "directional":
            return f"norm(directional({name}, {given.text}, tanh({given.text})))"
        if form == "hessian_vector":
            return f"sum(hessian_vector({self.number(name)}^2, {given.text}, tanh({given.text})))"
        return f"norm(gradient({self.number(name)}, {given.text}))"

    def _after(self, name: str, shape: Shape) -> Given:
        """A value at the weights at the end of a phase."""
        one_of = self.phases["a"] > 1 and ("b" not in self.phases or self.chance(0.5))
        phase = "a[0]" if one_of else "a"
        if self.chance(0.3):
            return Given(f"norm({name}.weights - after({phase}, {name}.weights))", Type("real"), 0, ("form after",))
        return Given(f"after({phase}, {name})", Type("real", shape), 0, ("form after",))

    def _entered(self, name: str) -> Given | None:
        """A real name of the example that a network's input is made of."""
        text = str(self.tree["architecture"][name]["input"])
        example = self.tree["task"]["example"]
        fits = [
            given for given in self.writer.names
            if given.text in example and given.text.startswith("x") and given.type.kind == "real" and re.search(rf"\b{given.text}\b", text)
        ]  # fmt: skip
        return self.random.choice(fits) if fits else None

    def estimates(self) -> None:
        """What is taken at the end of the first phase."""
        if "b" not in self.phases or not self.chance(0.4):
            return
        name = self.random.choice(list(self.networks))
        entry: dict[str, Any] = {"after": "a"}
        if self.chance(0.5):
            entry["of"] = f"E(gradient({self.number(name)}, {name}.weights)^2)"
            given = "sum(e0)"
        else:
            entry["of"] = f"E({self.of_networks(())})"
            given = "e0"
        if self.data not in ("finite", "with_replacement", "enumerated", "files") or (
            self.data != "enumerated" and self.chance(0.3)
        ):
            entry["examples"] = self.random.randint(2, 5)
        self.seen.update(f"estimate {field}" for field in entry)
        self.tree["estimates"] = {"e0": entry}
        self.late = (*self.late, Given(given, Type("real")))

    # -- the loss, term by term -----------------------------------------------------------------------------------------

    def shared_out(self) -> None:
        """Whether each network has an update, or terms, of its own."""
        self.taken = ()
        if self.chance(0.25):
            self.taken = tuple(self.networks)
        self.by_updates = bool(self.taken) and self.chance(0.6)

    def trains(self, network: str) -> Any:
        """Whom a term trains, as it is written."""
        self.seen.add("term trains")
        return self.random.choice((network, [network]))

    def _updates(self) -> dict[str, Any]:
        """What a step consists of: an update a network."""
        found: dict[str, Any] = {}
        for place, network in enumerate(self.taken):
            entry: dict[str, Any] = {"networks": [network], "loss": [f"l{place}"]}
            if self.chance(0.4):
                entry["optimizer"] = self.optimizer()
            if self.data != "enumerated" and self.chance(0.4):
                entry["times"] = self.random.randint(1, 3)
            self.seen.update(f"update {field}" for field in entry)
            found[f"u{network}"] = entry
        return found

    # -- training -------------------------------------------------------------------------------------------------------

    def training(self) -> None:
        """Optimiser, batch, two or three steps, evaluations."""
        optimizer: Any = self.optimizer()
        if not self.by_updates and self.chance(0.2):
            optimizer = {name: self.optimizer() for name in self.networks}
        training: dict[str, Any] = {"optimizer": optimizer}
        if self.phases:
            training["phases"] = {name: self._phase(name) for name in self.phases}
        else:
            training["steps"] = STEPS
        if self.by_updates:
            training["updates"] = self._updates()
        if self.data != "enumerated":
            training["batch"] = self.random.randint(1, 4)
        evaluate: dict[str, Any] = {}
        if self.data == "fresh":
            evaluate["examples"] = self.random.randint(3, 8)
        if self.chance(0.6):
            evaluate.update(self.random.choice(({"at": [0, 2]}, {"every": 1}, {"log": 2}, {"every": 2, "at": [1]})))
        if self.averaging:
            self._keep_averages(training)
        if evaluate:
            training["evaluate"] = evaluate
        if self.chance(0.1):
            training["until"] = "seen > 0.5"
        self.tree["training"] = training
        self.add(*self.late)

    def _keep_averages(self, training: dict[str, Any]) -> None:
        """Lets the optimisers of one phase keep moving averages, and no others."""
        self.seen.add("later averages")
        own = training["phases"][self.averaging]
        for part in ("optimizer", "updates"):
            if part in training:
                own.setdefault(part, deepcopy(training[part]))
        for place in (training, *training["phases"].values()):
            for entry in (place, *place.get("updates", {}).values()):
                if "optimizer" in entry:
                    entry["optimizer"] = self._averaged(entry["optimizer"], place is own)

    def _averaged(self, optimizer: Any, kept: bool) -> Any:
        """An optimiser, or one for each network, that keeps moving averages, or none."""
        if isinstance(optimizer, str):
            return {optimizer: {"use_ema": True}} if kept else optimizer
        ((name, arguments), *_) = optimizer.items()
        if name in self.networks:
            return {network: self._averaged(one, kept) for network, one in optimizer.items()}
        arguments = {key: value for key, value in arguments.items() if key != "use_ema"}
        return {name: {**arguments, "use_ema": True} if kept else arguments}

    def _phase(self, name: str) -> dict[str, Any]:
        """A phase of one step, perhaps passed twice."""
        entry: dict[str, Any] = {"steps": 1}
        if self.phases[name] > 1:
            entry["times"] = self.phases[name]
        if name == "b" and not self.by_updates and self.chance(0.5):
            entry["loss"] = self._later_loss()
        if self.chance(0.3):
            entry["optimizer"] = self.optimizer()
        if self.data != "enumerated" and self.chance(0.3):
            entry["batch"] = self.random.randint(1, 4)
        if name == "a" and self.chance(0.3):
            entry["until"] = "seen > 0.5"  # looked at in step 0 alone: a pass has one step
        if self.by_updates and self.chance(0.3):
            entry["updates"] = self._updates()
        if self.chance(0.4):
            architecture = self.tree["architecture"]
            parts = [
                "optimizer",
                *(name for name in self.networks if "whiten" not in str(architecture[name])),
                *self.named,
            ]
            entry["restart"] = self.random.sample(parts, self.random.randint(1, min(2, len(parts))))
            if len(entry["restart"]) == 2 and entry["restart"][1].startswith(f"{entry['restart'][0]}."):
                entry["restart"].pop()
            if self.chance(0.4):
                self.seen.add("phase restart initial")
                entry["restart"] = {
                    part: "anew" if part == "optimizer" else self.random.choice(("anew", "initial"))
                    for part in entry["restart"]
                }
        if modes := self._later_modes(name):
            entry["gradient"] = modes
        self.seen.update(f"phase {field}" for field in entry)
        return entry

    def _later_modes(self, phase: str) -> dict[str, Any]:
        """Gradient modes of a phase, over those of the experiment."""
        random = Random(f"modes {phase} {self.tree['seed']} {len(str(self.tree))}")
        if self.straight or random.random() < 0.6:
            return {}
        named = self.by_updates or "trains" in str(self.tree["loss"])  # whose weights have to be trained
        rows = [row for row in GRADIENT_MODES.values() if row.route == "body" or (row.route == "nowhere" and not named)]
        rows = [row for row in rows if "layer" in row.targets and not (named and row.freezes_weights)]
        modes = {}
        for target in random.sample([*self.networks, *self.named], 1):
            row = random.choice(rows)
            modes[target] = {row.name: random.choice((0.25, "0.5 + 0.1 * step"))} if row.takes_constant else row.name
        return modes

    def modes_said(self) -> list[Any]:
        """The gradient modes that the experiment or one of its phases says."""
        phases = self.tree.get("training", {}).get("phases", {}).values()
        said = (self.tree.get("gradient", {}), *(phase.get("gradient", {}) for phase in phases))
        return [mode for modes in said for mode in modes.values()]

    def _later_loss(self) -> dict[str, Any]:
        """A loss of the second phase, which may look back at the first."""
        name = self.random.choice(list(self.networks))
        loss: dict[str, Any] = {"l0": f"({self.number(name)} - {self.writer.real((), 1)})^2"}
        numbers = [given for given in self.late if not given.type.shape]
        if numbers:
            given = self.random.choice(numbers)
            self.seen.update(given.rows)
            loss["stay"] = f"tanh({given.text}) * {self.number(name)}"
        return loss | self._later_terms(name)

    def _later_terms(self, name: str) -> dict[str, Any]:
        """Terms of a later phase, by a choice of their own."""
        random = Random(f"later {name} {self.tree}")
        known = self.known_of(name)
        lacking = {
            *(() if self.averages or self.averaging else ("average",)),
            *(("hessian_vector",) if self.modes_said() else ()),
        }
        rows = [row for row in fitting(LATER, known) if row not in lacking]
        rows = random.sample(rows, random.randint(0, 2))
        self.seen.update(f"later {row}" for row in rows)
        self.straight = self.straight or "hessian_vector" in rows
        return {row: LATER[row].format(**known) for row in rows}

    def optimizer(self) -> Any:
        """An optimiser, with some of its arguments."""
        by_entries = "copies of a network" in self.seen  # which no optimiser may take for one weight
        row = self.random.choice(list(OPTIMIZERS.values()))
        row = row if row.elementwise or not by_entries else OPTIMIZERS["sgd"]
        self.seen.add(f"optimiser {row.name}")
        arguments: dict[str, Any] = {}
        clipped = False
        for parameter in row.parameters.values():
            if not self.chance(0.2) or (by_entries and parameter.name in OF_ONE_WEIGHT):
                continue
            if parameter.name == "learning_rate":
                arguments["learning_rate"] = self.random.choice(
                    (0.01, "c / 100", "0.01 / (1 + step)", "0.01 * exp(-step)")
                )
            elif parameter.kind == "bool":
                arguments[parameter.name] = self.chance(0.5)
            elif parameter.name.startswith(("clip", "global_clip")):
                if not clipped:
                    arguments[parameter.name] = 0.5
                clipped = True
            elif parameter.name == "momentum":
                arguments["momentum"] = 0.5
            elif parameter.name in ("initial_accumulator_value", "weight_decay"):
                arguments[parameter.name] = 0.01
            elif parameter.name == "epsilon":
                arguments["epsilon"] = 1e-5
            elif parameter.name != "ema_momentum":
                arguments[parameter.name] = 0.8
        if arguments.get("nesterov") and "momentum" not in arguments:
            del arguments["nesterov"]
        if self.averages:
            arguments["use_ema"] = True
        return {row.name: arguments} if arguments else row.name
