// What a page needs to draw Vega-Lite dictionaries without `eval`, as one global.
import { parse, View } from "vega";
import { expressionInterpreter } from "vega-interpreter";
import { compile } from "vega-lite";
import { Handler } from "vega-tooltip";
globalThis.vegaLite = { compile, parse, View, expressionInterpreter, Handler };
