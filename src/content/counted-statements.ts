// Prepared statements and transactions on cache.db that a test can make fail at any point.
import type Database from 'better-sqlite3';
import type { FileOperations } from './file-operations.ts';

type Value = number | string | Uint8Array | null;

export interface Statement<T> {
  run(...values: Value[]): void;
  get(...values: Value[]): T | undefined;
  all(...values: Value[]): T[];
}

export class CountedStatements {
  readonly database: Database.Database;
  private readonly before: () => void;

  constructor(database: Database.Database, { beforeStatement }: FileOperations) {
    this.database = database;
    this.before = beforeStatement;
  }

  prepare<T>(sql: string): Statement<T> {
    const statement = this.database.prepare<Value[], T>(sql);
    const { before } = this;
    return {
      run(...values) {
        before();
        statement.run(...values);
      },
      get(...values) {
        before();
        return statement.get(...values);
      },
      all(...values) {
        before();
        return statement.all(...values);
      },
    };
  }

  /** All of `work` or nothing of it. */
  transaction<T>(work: () => T): T {
    return this.database
      .transaction(() => {
        const result = work();
        this.before(); // the commit
        return result;
      })
      .immediate();
  }
}
