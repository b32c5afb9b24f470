// One of the product's processes, exactly as its npm command starts it, on what is built. argv: its name.
const [name] = process.argv.slice(2);
const { main } = await import(new URL(`../../dist/src/commands/${name}.js`, import.meta.url).href);
process.exit(await main([]));
