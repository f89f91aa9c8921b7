/**
 * Types undici's client module by its own path: the package's index also loads fetch, WebSocket, caches and mocks,
 * which double the login bundle and cost tens of milliseconds of every cold start.
 */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export = Client;
}
