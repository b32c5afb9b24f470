// Loaded by the SDK, by its path, in clients and workers that have CODEC_KEYS (src/adapters/temporal/data-converter.ts).
const { DefaultFailureConverter } = require('@temporalio/common');

exports.failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
