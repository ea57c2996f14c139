"""A first spec that runs: what `dlspec new` writes."""

TEMPLATE = """\
# yaml-language-server: $schema={schema}
dlspec: 1
study: {name}
title: A first study
about: |
  Does a linear model learn the sign of a product? It should not: say so as a claim, and see.

experiments:
  product:
    constants:
      d: 2                                     # input dimension
    task:
      example:                                 # once per example; a `draw:` beside it is once per replicate
        x: rademacher([d])                     # -1 or 1, each with probability 1/2
        y: prod(x)
    architecture:
      score:
        input: x
        layers:
          - dense: 1
    loss:
      hinge: hinge(y, score)
    training:
      optimizer: {{adam: {{learning_rate: 0.01}}}}
      batch: 64
      steps: 500
      evaluate: {{every: 50, examples: 2000}}
    measures:
      accuracy: E(y * score > 0)
    replicates: 5
    variants:
      linear: {{}}
      hidden_layer:
        architecture:
          score:
            layers:
              - dense: {{units: 16, activation: relu}}
              - dense: 1
    claims:
      linear_fails:
        says: A linear model stays near chance.
        check: final(accuracy, variant == linear) <= 0.8
      hidden_layer_learns:
        says: One hidden layer is enough.
        check: final(accuracy, variant == hidden_layer) >= 0.95
    figures:
      accuracy: {{kind: curves, y: accuracy}}
"""


def first_spec(name: str, schema: str) -> str:
    """The text of a new study."""
    return TEMPLATE.format(name=name, schema=schema)
