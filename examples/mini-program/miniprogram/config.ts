/** Where the services answer. Change both for a deployment, whose domains must be on the list of request domains. */

/** The login service: `npm start`. */
export const LOGIN_URL = 'http://127.0.0.1:3000';

/** Another team's service, behind the same login: `npm start -- --with-example`. */
export const ORDERS_URL = 'http://127.0.0.1:3001';

/** Whether this is `npm start`, where any code `demo-<name>` logs in. */
export const IS_LOCAL = LOGIN_URL.startsWith('http://127.0.0.1:');
