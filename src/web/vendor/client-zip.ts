/**
 * The page's one package. Browsers do not know its bare name, and the page's policy allows no inline import map, so the build
 * puts the package's own module, which imports nothing, in the place of this one (setup/build.mjs, VENDORED).
 */
export { makeZip, predictLength } from 'client-zip';
