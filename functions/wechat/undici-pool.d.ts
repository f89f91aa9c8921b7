/**
 * Types undici's pool module by its own path: the package's index also loads fetch, WebSocket, caches and mocks,
 * which double the login bundle and cost tens of milliseconds of every cold start.
 */
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';
  export = Pool;
}
