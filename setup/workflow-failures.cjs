// Bundled with the workflows (bundle-workflows.mjs). The bundle is one for all; a worker that has CODEC_KEYS sets the variable in
// front of it (src/adapters/temporal/data-converter.ts).
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({
  encodeCommonAttributes: globalThis.ENCODES_FAILURES === true,
});
