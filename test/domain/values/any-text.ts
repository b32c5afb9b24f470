/** Any UTF-16, halves of surrogate pairs included. */
import fc from 'fast-check';

const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 });

export const anyText = fc
  .tuple(fc.string({ unit: 'binary' }), units, fc.string({ unit: 'binary' }))
  .map(([before, middle, after]) => before + String.fromCharCode(...middle) + after);
