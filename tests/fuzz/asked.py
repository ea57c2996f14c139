"""What is asked of a random experiment: measures, axes, claims and figures."""

from __future__ import annotations

from random import Random
from typing import Any

from dlspec.spec.ir.types import Shape
from dlspec.spec.model.figures import FIGURES
from dlspec.spec.tables.gradient_statistics import GRADIENT_STATISTICS, MIN_BLOCKS
from dlspec.spec.tables.judges import JUDGES

from .expressions import Writer

STEPS = 2
LEFT = ("mean", "max", "min", "argmax", "argmin")
"""The forms of claims that leave one number of an axis."""


class Asked:
    """Writes them, for networks, names and data that a composer has written."""

    writer: Writer
    random: Random
    seen: set[str]
    tree: dict[str, Any]
    networks: dict[str, Shape]
    data: str
    coin: str
    phases: dict[str, int]
    averages: bool
    by_updates: bool

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.random = writer.random
        self.seen = writer.seen
        self.tree = {}
        self.scalars: list[str] = []
        self.vectors: list[str] = []
        """Measures that are one number, and entries of those that are arrays."""
        self.axes: dict[str, list[Any]] = {}
        self.networks = {}
        self.kernels: list[str] = []
        """Weights that are named."""

    def chance(self, share: float) -> bool:
        """True in a share of the cases."""
        return self.random.random() < share

    def shape(self, rank: int) -> Shape:
        """A shape of so many axes at most."""
        return tuple(self.random.randint(1, 4) for _ in range(self.random.randint(0, rank)))

    def number(self, name: str) -> str:
        """A network as one number."""
        shape = self.networks[name]
        if not shape:
            return name
        if self.chance(0.4):
            return f"{name}[{', '.join('0' for _ in shape)}]"
        return f"{self.random.choice(('sum', 'mean', 'max', 'norm'))}({name})"

    def of_networks(self, shape: Shape, depth: int = 2) -> str:
        """An expression that depends on a network."""
        name = self.random.choice(list(self.networks))
        return f"{self.writer.real(shape, depth)} + {self.number(name)}"

    # -- measures --------------------------------------------------------------------------------------------------

    def measures(self) -> None:
        """Some of every kind."""
        self.tree["measures"] = {}
        for place in range(self.random.randint(1, 4)):
            name = f"m{place}"
            kinds = ("E", "E", "bare", "quantile", "array", "gradient", "weights", "statistic", "train", "mixed")
            entry, shape = self._measure(self.random.choice(kinds))
            self.tree["measures"][name] = entry
            if shape == ():
                self.scalars.append(name)
            elif shape:
                self.scalars.append(f"{name}[{', '.join('0' for _ in shape)}]")
                self.vectors.append(f"{name}[{', '.join('0' for _ in shape[1:])}]" if shape[1:] else name)
        if "loss_scale" in self.tree:
            self.seen.add("weights left_out")
            self.tree["measures"]["skipped"] = "left_out"
        training = self.tree["training"]
        if any("until" in one for one in (training, *training.get("phases", {}).values())):
            self.tree["measures"]["seen"] = self.of_networks(())
        if not self.scalars:
            self.tree["measures"]["last"] = "E(c + 0.0)"
            self.scalars.append("last")

    def _measure(self, kind: str) -> tuple[Any, Shape | None]:
        """A measure and its shape; None where that is not known here."""
        w = self.writer
        name = self.random.choice(list(self.networks))
        match kind:
            case "E":
                self.seen.add("form E")
                if self.chance(0.3):
                    return f"E({w.write('bool', (), 2)})", ()
                return f"E({self.of_networks(())})", ()
            case "bare":
                return w.real((), 2), ()
            case "quantile":
                self.seen.add("form quantile")
                return f"quantile({self.of_networks(())}, {self.random.choice((0, 0.5, 0.9, 1))})", ()
            case "array":
                shape = self.shape(2)
                return f"E({w.real(shape, 2)})", shape
            case "gradient":
                self.seen.add("form gradient")
                of = self.number(name)
                if self.chance(0.5):
                    return f"E(squared_norm(gradient({of}, {name}.weights)))", ()
                return f"E(gradient({of}, {name}.weights))", None
            case "weights" if self.kernels and self.chance(0.7):
                kernel = self.random.choice(self.kernels)
                if self.chance(0.5):
                    return kernel, None
                return f"max(abs(E(gradient({self.number(kernel.partition('.')[0])}, {kernel}))))", ()
            case "weights":
                if self.chance(0.3):
                    self.seen.add("form initial")
                    return f"norm({name}.weights - initial({name}.weights))", ()
                return f"norm({name}.weights)", ()
            case "train" if "validation" in self.tree["task"].get("data", {}) and self.chance(0.5):
                self.seen.add("data validation")
                return {"of": f"E({self.of_networks(())})", "on": "validation"}, ()
            case "train" if self.data in ("finite", "with_replacement", "combinations", "files"):
                return {"of": f"E({self.of_networks(())})", "on": "train"}, ()
            case "mixed":
                return f"E({w.real((), 1)}) - 0.5 * E({self.number(name)})^2", ()
            case "statistic":
                return self._statistic(name)
        return f"E({self.number(name)})", ()

    def _statistic(self, name: str) -> tuple[Any, Shape]:
        """A statistic of gradients, and its shape."""
        bent = any("exact" not in str(mode) for mode in self.modes_said())
        rows = [row for row in GRADIENT_STATISTICS.values() if not (row.symmetric and bent)]
        if self.data == "combinations":  # there are no new ones for each target
            rows = [row for row in rows if not row.over_draws]
        row = self.random.choice(rows)
        entry: dict[str, Any] = {
            "of": f"({self.number(name)} - {self.writer.real((), 1)})^2",
            "weights": f"{name}.weights",
        }
        if self.coin and self.data != "combinations" and self.chance(0.4):
            row = self.random.choice([row for row in rows if row.over_draws])
        if row.over_draws:
            if not self.coin:
                return f"E({self.number(name)})", ()
            entry["of"] = f"({self.number(name)} - sum({self.coin}))^2"
            entry["over"] = self.coin
            entry["draws"] = self.random.choice((2, 3, "all"))
        self.seen.add(f"statistic {row.name}")
        if self.data != "enumerated":
            entry["examples"] = 4 if row.over_draws else MIN_BLOCKS if row.least >= MIN_BLOCKS else max(row.least, 3)
        count = sum(parameter.default for parameter in row.parameters.values() if parameter.name in row.values)
        for parameter in row.parameters.values():
            if parameter.kind == "size":
                entry[parameter.name] = 3
        return {row.name: entry}, (count,) if row.values else ()

    # -- axes ------------------------------------------------------------------------------------------------------

    def axes_of(self) -> None:
        """Variants, sweeps, and axes in step."""
        if self.chance(0.3):
            first = next(iter(self.networks))
            patches = {
                "one": {"training": {"optimizer": {"sgd": {"learning_rate": 0.03}}}}, "two": {"seed": 11},
                "three": {"loss": {"other": f"({self.number(first)} - 1)^2"}}, "four": {"replicates": self.tree["replicates"] + 1},
                "five": {"gradient": {first: {"scale": 2}}},
            }  # fmt: skip
            if getattr(self, "straight", False):
                del patches["five"]
            patches.update(self._insertions())
            if self.averages:
                patches["one"]["training"]["optimizer"]["sgd"]["use_ema"] = True
            if self.by_updates or "trains" in str(self.tree["loss"]):
                del patches["three"]
            if self.phases:
                patches["six"] = {"training": {"phases": {"a": {"steps": 2}}}}
            names = self.random.sample(list(patches), 2)
            self.seen.update(
                f"patch {place}" for name in names for place in ("after", "before") if place in str(patches[name])
            )
            self.tree["variants"] = {name: patches[name] for name in names}
            self.axes["variant"] = names
        sweep: dict[str, Any] = {}
        if self.chance(0.3):
            sweep["c"] = self.random.sample([0.5, 1.0, 1.5, 0.25], 2)
        if (len(self.axes) + len(sweep) < 2 and self.chance(0.2)) or ("c" in sweep and self.chance(0.2)):
            sweep["k"] = self.random.sample([1, 2, 3], 2)
        if not self.phases and len(self.axes) + len(sweep) < 2 and self.chance(0.1):
            sweep["way"] = {"base": {}, "short": {"training": {"steps": 1}}}
        if sweep:
            self.tree["sweep"] = sweep
            self.axes.update((name, list(values)) for name, values in sweep.items())
            if "c" in sweep and "k" in sweep and (self.chance(0.7) or "variant" in self.axes):
                self.tree["zip"] = [["c", "k"]]

    def _insertions(self) -> dict[str, Any]:
        """Patches that put a layer before or behind another one of a network, by its name."""
        found = {}
        for name, network in self.tree["architecture"].items():
            for item in network["layers"][:-1]:
                inner = next(iter(item.values())) if isinstance(item, dict) else None
                if isinstance(inner, dict) and "name" in inner and "repeat" not in item:
                    layer = self.random.choice(({"layer_normalization": {}}, {"dropout": 0.25}, {"activation": "tanh"}))
                    place = self.random.choice(("after", "before"))
                    ((kind, arguments),) = layer.items()
                    arguments = (
                        arguments if isinstance(arguments, dict) else {{"dropout": "rate"}.get(kind, kind): arguments}
                    )
                    entry = {kind: arguments, place: inner["name"]}
                    found["seven"] = {"architecture": {name: {"layers": {"extra": entry}}}}
        return found

    @property
    def swept(self) -> list[str]:
        """Swept constants."""
        return [name for name in ("c", "k") if name in self.axes]

    def _condition(self, axes: list[str] | None = None) -> str:
        """A condition on an axis, mostly one that leaves a single value: then any two may be compared."""
        axis = self.random.choice(axes or list(self.axes))
        value = self.random.choice(self.axes[axis])
        other = ("!=",) if isinstance(value, str) else ("<=", ">=")
        return f"{axis} {'==' if self.chance(0.85) else self.random.choice(other)} {value}"

    # -- claims ----------------------------------------------------------------------------------------------------

    def claims(self) -> None:
        """Claims of every form."""
        found = {}
        for place in range(self.random.randint(1, 3)):
            check = self._check()
            entry: dict[str, Any] = {"says": "It is so.", "check": check}
            row = self.random.choice([row for row in JUDGES.values() if self.tree["replicates"] >= row.fewest])
            if row.takes == "condition" or (row.takes == "size" and _compares(check)):
                entry["judge"] = row.name if row.argument is None else {row.name: 0.8}
            elif row.takes == "within":
                entry.update(check=f"within({self._read()} - {self._read()}, -1, c)", judge=row.name)
            if "judge" in entry:
                self.seen.add(f"judge {row.name}")
                if self.chance(0.3):
                    entry["family"] = "all"
            found[f"s{place}"] = entry
        self.tree["claims"] = found

    def _check(self) -> str:
        choice = self.random.choice(("compare", "compare", "and", "along", "along", "diverged", "not"))
        if choice == "diverged":
            self.seen.add("claim diverged")
            return f"{self.random.choice(('', 'not '))}diverged({self._condition() if self.axes else ''})"
        if choice == "and":
            return f"{self._compared()} {self.random.choice(('and', 'or'))} {self._compared()}"
        if choice == "not":
            return f"not {self._compared()}"
        if choice == "along" and self.swept:
            axis, form = (
                self.random.choice(self.swept),
                self.random.choice(("slope", "increasing", "decreasing", *LEFT)),
            )
            self.seen.add(f"claim {form}")
            if form in LEFT:
                return f"({form}({self._read(axis)}, {axis}) >= 0.5)"
            if form == "slope":
                return f"slope({self._read(axis)}, {self.random.choice((axis, f'log({axis})'))}) > 0"
            return f"{form}({self._read(axis)}, {axis})"
        return self._compared()

    def _compared(self) -> str:
        right = self.random.choice(("0", "0.5", "c", "k + 1", self._read(), f"2 * abs({self._read()})"))
        return f"({self._read()} {self.random.choice(('<', '<=', '>', '>=', '=='))} {right})"

    def _read(self, without: str = "") -> str:
        """A measure over the steps, mostly of all cells; `without` is the axis that stays whole."""
        measure = self.random.choice(self.scalars)
        form = self.random.choice(("final", "final", "lowest", "highest", "at", "first_step", "mean_over"))
        self.seen.add(f"claim {form}")
        axes = [axis for axis in self.axes if axis != without]
        conditions = f", {self._condition(axes)}" if axes and self.chance(0.3) else ""
        step = self.random.choice(("0", "end(a)", "start(a)", "start(a) + 1")) if self.phases else "0"
        inner = {"at": f"{measure}, {step}", "first_step": f"{measure} >= 0.5"}.get(form, measure)
        return f"{form}({inner}{conditions})"

    # -- figures ---------------------------------------------------------------------------------------------------

    def figures(self) -> None:
        """One or two figures."""
        found: dict[str, Any] = {}
        for place in range(self.random.choice((0, 1, 1, 2))):
            lacking = {*(() if self.swept else ("scaling",)), *(() if self.vectors else ("profile",))}
            lacking |= {*(() if len(self.axes) > 1 else ("heatmap",))}
            kind = self.random.choice([kind for kind in FIGURES if kind not in lacking])
            self.seen.add(f"figure {kind}")
            found[f"p{place}"] = {"kind": kind, **self._figure(kind)}
        if found:
            self.tree["figures"] = found

    def _figure(self, kind: str) -> dict[str, Any]:
        w, figure = self.writer, dict[str, Any]()
        if self.chance(0.2):
            figure["title"] = self.random.choice(("a title", "50 % of $x_0$", "cost: $5", "<b>&amp;</b>"))
        if self.axes and self.chance(0.3):
            figure["where"] = self._condition()
        if self.axes and self.chance(0.3):
            figure["panel"] = self.random.choice(list(self.axes))
        if kind in ("curves", "bars", "scaling"):
            figure["y"] = self.random.choice((self.scalars[0], list(dict.fromkeys(self.scalars))[:2]))
            if self.chance(0.3):
                figure["scale"] = (
                    {"y": "log"} if kind == "bars" else {"x": "log", "y": self.random.choice(("log", "linear"))}
                )
            if self.axes and kind != "bars" and self.chance(0.3):
                figure["colour"] = self.random.choice(list(self.axes))
            if kind == "scaling":
                figure["x"] = self.random.choice(self.swept)
                if self.chance(0.6):
                    figure["fit"] = self.random.choice(("power", "exponential", "linear"))
        elif kind == "histogram":
            figure["y"] = self.random.choice((self.scalars[0], [*self.vectors, *self.scalars][0]))
            if self.chance(0.4):
                figure.update(bins=self.random.choice((1, 20)), scale={"x": "log"})
        elif kind == "heatmap":
            figure.pop("panel", None)
            figure["z"] = self.scalars[0]
            figure["x"], figure["y"] = self.random.sample(list(self.axes), 2)
            if self.chance(0.4):
                figure["scale"] = {"z": "log"}
        elif kind == "profile":
            figure["y"] = self.random.choice(self.vectors)
            if self.chance(0.4):
                figure["x"] = figure["y"]
            if self.chance(0.4):
                figure.update(replicates="all", scale={"x": "log", "y": "log"})
        elif kind == "scatter":
            figure.update(y={"one": w.real((2,), 1), "two": w.real((2,), 2)}, examples=5)
            if self.chance(0.3):
                figure["replicates"] = "all"
        elif kind == "function":
            figure.update(x=w.real((), 1), y={"one": self.of_networks(()), "two": w.real((), 1)}, examples=5)
        elif kind == "examples":
            figure.update(y={"one": w.real((3,), 1), "two": w.real((3,), 2)}, count=2)
        else:
            figure.update(image=w.real(self.random.choice(((4, 4), (2, 3))), 2), count=2)
            if self.chance(0.5):
                figure["rows"] = w.write("int", (), 1)
        if kind in ("function", "examples", "scatter") and self.chance(0.5):
            figure["steps"] = [0, 2]
        return figure


def _compares(check: str) -> bool:
    return check.startswith("(") and not any(
        word in check for word in (" and ", " or ", ") == ", "] == ", " == c)", " == k")
    )
