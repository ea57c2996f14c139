// In the place of Vega's parts that no figure uses: maps, forces, trees, word clouds, cross filters, regressions.
module.exports = {};
