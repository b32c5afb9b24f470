/** A process of its own: dist/workflows → dist/workflow-bundle.js, the one file the workflow sandbox loads. */
import { renameSync, writeFileSync } from 'node:fs';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { inRoot } from './paths.mjs';

const { code } = await bundleWorkflowCode({
  workflowsPath: inRoot('dist/workflows/index.js'),
  workflowInterceptorModules: [inRoot('dist/workflows/whole-tasks.js')],
  logger: new DefaultLogger('WARN'),
});
const draft = inRoot('dist/workflow-bundle.draft');
writeFileSync(draft, code);
renameSync(draft, inRoot('dist/workflow-bundle.js'));
process.exit(0);
