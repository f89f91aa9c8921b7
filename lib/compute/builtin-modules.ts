/**
 * How a bundle gets Node's own modules: each when a member of it is first used. An `import` gets them all at the start
 * and evaluates every getter they have; `http.WebSocket` is one, which loads an undici of Node's own
 * (docs/decisions/0025).
 */
import { builtinModules } from 'node:module';

/** The modules that are functions or classes themselves, for which no object can stand. */
const functions = new Set(['assert/strict', 'events', 'module', 'stream', 'node:test']);

/** Modules that no function of ours needs, and what importers get instead. */
const substitutes: Readonly<Record<string, string>> = {
  // undici goes without HTTP/2 where there is none.
  http2: 'throw new Error("a bundle has no HTTP/2")',
  // The SDK looks for files of settings, and goes on where there are none.
  'fs/promises': 'exports.readFile=async()=>{throw new Error("a bundle reads no files of settings")}',
  // undici asserts in each start. The real one, which opens stderr, says what failed.
  assert: `const load=()=>process.getBuiltinModule("assert"),get=(_,key)=>key==="__esModule"?void 0:load()[key],
members=new Proxy({},{get});
module.exports=new Proxy((...args)=>{args[0]||load()(...args)},{get,getPrototypeOf:()=>members})`,
  // The global is the module.
  process: 'module.exports=process',
};

function sourceFor(name: string): string {
  const substitute = substitutes[name];
  if (substitute !== undefined) return substitute;
  const builtin = `process.getBuiltinModule(${JSON.stringify(name)})`;
  if (functions.has(name)) return `module.exports=${builtin}`;
  // esbuild copies an object's own members, which would load the module, and finds others on the prototype when they
  // are used. `__esModule` is what it asks for at once.
  const get = 'get:(_,key)=>key==="__esModule"?void 0:load()[key]';
  return `let builtin;const load=()=>builtin??=${builtin};module.exports=Object.create(new Proxy({},{${get}}))`;
}

/** For esbuild's `alias`: what stands for each module, a CommonJS module in a `data:` URL. */
export const builtinModuleAliases: Readonly<Record<string, string>> = Object.fromEntries(
  builtinModules.flatMap((name) => {
    const url = `data:text/javascript,${encodeURIComponent(sourceFor(name))}`;
    return name.startsWith('node:')
      ? [[name, url]]
      : [
          [name, url],
          [`node:${name}`, url],
        ];
  }),
);
