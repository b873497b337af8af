import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A PostgreSQL server on a port of this machine, with an empty database. */
export class Postgres implements AsyncDisposable {
  readonly #database: PGlite;
  readonly #server: PGLiteSocketServer;

  private constructor(database: PGlite, server: PGLiteSocketServer) {
    this.#database = database;
    this.#server = server;
  }

  static async start(): Promise<Postgres> {
    const database = await PGlite.create();
    const server = new PGLiteSocketServer({ db: database, port: 0 });
    await server.start();
    return new Postgres(database, server);
  }

  get port(): number {
    return Number(this.#server.getServerConn().split(":").at(-1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    await this.#database.close();
  }
}
