/** The workflow bundle's only entry. */
export { generateClipsWorkflow } from './generate-clips.js';
