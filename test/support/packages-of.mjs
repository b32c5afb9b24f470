// The packages that a module of the build loads, with all that it imports, as JSON. argv: its path below dist/src.
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const { port1, port2 } = new MessageChannel();
const hook = `
  let port;
  export const initialize = (data) => { port = data.port; };
  export const resolve = async (name, context, next) => {
    const found = await next(name, context);
    port.postMessage(found.url);
    return found;
  };`;
const urls = [];
port1.on('message', (url) => urls.push(url));
register(`data:text/javascript,${encodeURIComponent(hook)}`, {
  data: { port: port2 },
  transferList: [port2],
});
await import(new URL(`../../dist/src/${process.argv[2]}`, import.meta.url).href);
// Messages of the hook arrive in order: when its last has come, all have.
while (!urls.at(-1)?.endsWith('#last')) {
  await import('data:text/javascript,0#last');
  await new Promise((resolve) => setImmediate(resolve));
}
const files = [...urls, ...Object.keys(createRequire(import.meta.url).cache)];
const names = files.flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
console.log(JSON.stringify([...new Set(names)].sort()));
process.exit(0);
