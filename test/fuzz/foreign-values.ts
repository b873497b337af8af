import { createContext, runInContext } from "node:vm";
import type { Random } from "../support/random.ts";
import { contentOf, pathOf } from "./files.ts";
import { composite, filePath, latin1, type OperationContext, type StartOperation } from "./operations.ts";

/** Another realm, as of an iframe or of jsdom: its classes have the same names, but `instanceof` does not know them. */
const realm = runInContext(
  `({
    Uint8Array, Float64Array, DataView, ArrayBuffer,
    URL: class {
      constructor(href) { this.href = href; this.protocol = href.slice(0, href.indexOf(":") + 1); }
      get [Symbol.toStringTag]() { return "URL"; }
      toString() { return this.href; }
    },
    AbortSignal: class {
      constructor(signal) { this.signal = signal; }
      get [Symbol.toStringTag]() { return "AbortSignal"; }
      get aborted() { return this.signal.aborted; }
      get reason() { return this.signal.reason; }
      throwIfAborted() { this.signal.throwIfAborted(); }
      addEventListener(...args) { this.signal.addEventListener(...args); }
      removeEventListener(...args) { this.signal.removeEventListener(...args); }
    },
    record: (entries) => Object.fromEntries(entries),
    array: (members) => Array.from(members),
  })`,
  createContext(),
) as {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Float64Array: Float64ArrayConstructor;
  readonly DataView: DataViewConstructor;
  readonly ArrayBuffer: typeof ArrayBuffer;
  readonly URL: new (href: string) => URL;
  readonly AbortSignal: new (signal: AbortSignal) => AbortSignal;
  readonly record: (entries: readonly [string, unknown][]) => object;
  readonly array: (members: readonly string[]) => readonly string[];
};

/** A plain record with the `Object.prototype` of the other realm. */
export function foreignRecord<T extends object>(members: T): T {
  return realm.record(Object.entries(members)) as T;
}

function foreignBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return realm.Uint8Array.from(bytes);
}

/** The same bytes in one of the forms that the SDK takes for file contents. Float64Array needs a multiple of 8 bytes. */
function foreignData(bytes: Uint8Array, random: Random): ArrayBufferView<ArrayBuffer> | ArrayBuffer {
  const { buffer } = foreignBytes(bytes);
  const forms: (ArrayBufferView<ArrayBuffer> | ArrayBuffer)[] = [
    new realm.Uint8Array(buffer),
    buffer,
    new realm.DataView(buffer),
  ];
  if (bytes.length % 8 === 0) forms.push(new realm.Float64Array(buffer));
  return random.pick(forms);
}

const foreignUrl = (path: string): URL => new realm.URL(`file://${path}`);

/** Operations whose arguments are values of another realm. */
export const FOREIGN: Readonly<Record<string, StartOperation>> = {
  foreignFile(context) {
    const path = filePath(context);
    const data = foreignData(contentOf(path), context.random);
    return composite(
      context,
      path,
      (client, signal) =>
        client.fs.writeFile(foreignUrl(path), data, foreignRecord({ signal: new realm.AbortSignal(signal) })),
      [],
      (_, checker) =>
        checker.checkEqual(context.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },

  foreignWriteStream(context) {
    const path = filePath(context);
    return composite(
      context,
      path,
      async (client, signal) => {
        const options = foreignRecord({ signal: new realm.AbortSignal(signal) });
        const file = client.fs.createWriteStream(foreignUrl(path), options).getWriter();
        const done = [file.ready, file.write(foreignBytes(contentOf(path))), file.close(), file.closed];
        await Promise.allSettled(done);
        await Promise.all(done);
      },
      [],
      (_, checker) =>
        checker.checkEqual(context.server.written.get(path) ?? Buffer.alloc(0), contentOf(path), path),
    );
  },

  foreignInput(context) {
    const { name, server } = context;
    const bytes = contentOf(pathOf(context.random.below(100), name));
    return composite(
      context,
      name,
      async (client, signal) => {
        const options = foreignRecord({
          processId: name,
          stdin: "pipe",
          signals: false,
          cwd: foreignUrl("/work"),
          env: foreignRecord({ NAME: "value" }),
          signal: new realm.AbortSignal(signal),
        } as const);
        const cat = await client.start(foreignArray("cat", "-"), options);
        await cat.write(foreignBytes(bytes));
        await cat.stdout.cancel();
        await cat.terminate();
      },
      ["ERR_STDIN_CLOSED"],
      (_, checker) => checker.checkEqual(server.received.get(name) ?? "", latin1(bytes), `${name} input`),
    );
  },

  foreignBody(context) {
    const { name, server } = context;
    const url = `http://origin.test/${name}`;
    const bytes = contentOf(pathOf(context.random.below(100), name));
    return composite(
      context,
      url,
      async (client, signal) => {
        const init = foreignRecord({
          method: "POST",
          body: foreignBytes(bytes),
          headers: foreignRecord({ "x-name": name }),
          signal: new realm.AbortSignal(signal),
        });
        const response = await client.fetch(new realm.URL(url), init);
        await response.body?.cancel();
      },
      [],
      (_, checker) => checker.checkEqual(server.received.get(url), latin1(bytes), `${name} body`),
    );
  },

  foreignCall(context: OperationContext) {
    return composite(
      context,
      context.name,
      (client, signal) =>
        client.call(
          "fuzz/echo",
          foreignRecord({ name: context.name }),
          foreignRecord({ signal: new realm.AbortSignal(signal) }),
        ),
      [],
      (result, checker) => checker.checkEqual(result, { name: context.name }, context.name),
    );
  },
};

function foreignArray(...members: readonly string[]): readonly string[] {
  return realm.array(members);
}
