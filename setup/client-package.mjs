/**
 * `dist/client`, the client as a package of its own: what its entry reaches and nothing else. Its declarations depend on no
 * package either: what `wire.ts` infers from zod schemas is written out as plain types, with the descriptions of the schemas.
 * A process of its own, as the compiler that it loads is large.
 *
 *   node setup/client-package.mjs FOLDER     FOLDER: where tsconfig.client.json was compiled to
 */
import {
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { inRoot } from './paths.mjs';

const ENTRY = 'client/index';
const WIRE = 'src/client/wire.ts';
const NOTHING = ts.TypeFlags.Null | ts.TypeFlags.Undefined;

packClient(path.resolve(process.argv[2]));

function packClient(folder) {
  writeFileSync(path.join(folder, 'client/wire.d.ts'), plainTypes(inRoot(WIRE)));
  keepReachable(folder);
  const { name, version, description, license, engines } = JSON.parse(
    readFileSync(inRoot('package.json'), 'utf8'),
  );
  const entry = { types: `./${ENTRY}.d.ts`, default: `./${ENTRY}.js` };
  const manifest = {
    ...{ name, version, description, license, type: 'module', engines, sideEffects: false },
    exports: { './client': entry },
  };
  copyFileSync(inRoot('LICENSE'), path.join(folder, 'LICENSE'));
  writeFileSync(
    path.join(folder, 'README.md'),
    withoutOwnLinks(readFileSync(inRoot('docs/client.md'), 'utf8')),
  );
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The package has none of the files that the page links: the words of a link stay. */
function withoutOwnLinks(markdown) {
  return markdown.replace(/\[([^\][]{1,80})\]\((?!https?:)[^()\s]{1,120}\)/g, '$1');
}

/** The compiler emits what only types are taken from, too. */
function keepReachable(folder) {
  const kept = new Set();
  for (const extension of ['.js', '.d.ts']) {
    const waiting = [path.join(folder, ENTRY + extension)];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (kept.has(file)) continue;
      kept.add(file);
      for (const [, specifier] of readFileSync(file, 'utf8').matchAll(/ from '(\.[^']+)\.js'/g)) {
        waiting.push(path.join(path.dirname(file), specifier + extension));
      }
    }
  }
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !kept.has(file)) rmSync(file);
  }
  for (const entry of readdirSync(folder, { recursive: true }).reverse()) {
    const place = path.join(folder, entry);
    if (existsSync(place) && !entry.includes('.') && readdirSync(place).length === 0)
      rmSync(place, { recursive: true });
  }
}

/** The exported types of a module, each written out. A type that has a name there is called by it. */
function plainTypes(file) {
  const { config } = ts.readConfigFile(inRoot('tsconfig.client.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, inRoot());
  const program = ts.createProgram([file], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file));
  const types = checker.getExportsOfModule(module).map((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    return { name: symbol.name, type: checker.getDeclaredTypeOfSymbol(target) };
  });
  const print = printer(checker);
  const names = new Map(types.map(({ name, type }) => [print(type, new Map(), false), name]));
  const text = types.map(({ name, type }) => {
    const own = print(type, new Map(), false);
    const others = new Map([...names].filter(([body]) => body !== own));
    const body = names.get(own) === name ? print(type, others, true) : names.get(own);
    return `export type ${name} = ${body};\n`;
  });
  return `/** Written by setup/client-package.mjs from the schemas of the API. */\n${text.join('\n')}`;
}

/** A type as text. `names`: what a type that looks like this is called; `told`: with descriptions. */
function printer(checker) {
  const open = new Set();
  const print = (type, names, told) => {
    if (open.has(type)) return type.aliasSymbol?.name ?? 'unknown'; // a type that holds itself
    open.add(type);
    try {
      return whole(type, names, told);
    } finally {
      open.delete(type);
    }
  };
  const whole = (type, names, told) => {
    const name = names.size === 0 ? undefined : names.get(whole(type, new Map(), false));
    if (name !== undefined) return name;
    if (type.isUnion()) return union(type.types, names, told);
    if (type.flags & ts.TypeFlags.Object) return object(type, names, told);
    if (type.isIntersection()) return object(type, names, told);
    return checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
  };
  const union = (members, names, told) => {
    const given = members.filter(({ flags }) => !(flags & NOTHING));
    const absent = members
      .filter(({ flags }) => flags & NOTHING)
      .map((member) => checker.typeToString(member));
    const name = names.get(texts(given, new Map(), false).join(' | '));
    return [...(name === undefined ? texts(given, names, told) : [name]), ...absent].join(' | ');
  };
  const texts = (members, names, told) => {
    const printed = members.map((member) => print(member, names, told));
    return printed.includes('true') && printed.includes('false')
      ? [...printed.filter((text) => text !== 'true' && text !== 'false'), 'boolean']
      : printed;
  };
  const object = (type, names, told) => {
    if (checker.isArrayType(type)) {
      const [item] = checker.getTypeArguments(type);
      const text = print(item, names, told);
      return / \| /.test(text) && !text.startsWith('{') ? `(${text})[]` : `${text}[]`;
    }
    const [index] = checker.getIndexInfosOfType(type);
    const properties = checker.getPropertiesOfType(type);
    if (index !== undefined && properties.length === 0) {
      const key = print(index.keyType, names, told);
      return `Record<${key}, ${print(index.type, names, told)}>`;
    }
    const lines = properties.map((property) => {
      const optional = property.flags & ts.SymbolFlags.Optional ? '?' : '';
      const text = print(checker.getTypeOfSymbol(property), names, told);
      const value = optional === '' ? text : text.replace(/ \| undefined(?= \| null$|$)/, '');
      const words = told
        ? descriptionOf(property.valueDeclaration ?? property.declarations?.[0])
        : null;
      return `${words === null ? '' : `/** ${words} */\n`}${property.name}${optional}: ${value};`;
    });
    return `{\n${lines.join('\n')}\n}`;
  };
  /** The text of `.meta({ description: '…' })` where a schema is, also of one that has a name. */
  const descriptionOf = (node) => {
    if (node === undefined) return null;
    const [own] = ts.getJSDocCommentsAndTags(node);
    if (own !== undefined && typeof own.comment === 'string')
      return own.comment.replaceAll('\n', ' ');
    if (ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)) {
      return node.initializer === undefined ? null : descriptionOf(node.initializer);
    }
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      const target =
        symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      return target?.valueDeclaration === undefined ||
        !ts.isVariableDeclaration(target.valueDeclaration)
        ? null
        : descriptionOf(target.valueDeclaration);
    }
    if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
    const [argument] = node.arguments;
    const described =
      node.expression.name.text === 'meta' &&
      argument !== undefined &&
      ts.isObjectLiteralExpression(argument)
        ? argument.properties.find((property) => property.name?.getText() === 'description')
        : undefined;
    const text = described?.initializer;
    return text !== undefined && ts.isStringLiteralLike(text)
      ? text.text
      : descriptionOf(node.expression.expression);
  };
  return print;
}
