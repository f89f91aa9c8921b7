/** What the client needs of the place where it runs; everything else is plain ECMAScript. */

/** Methods that every mini-program platform can send: `wx.request` knows no PATCH. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One request, ready to be sent. */
export interface HttpRequest {
  readonly method: Method;
  readonly url: string;
  /** Names in lower case. */
  readonly header: Record<string, string>;
  readonly body: string | undefined;
  /** Milliseconds; the platform's own when left out. */
  readonly timeout: number | undefined;
}

/** A response of any status. */
export interface HttpAnswer {
  readonly status: number;
  /** Names in whatever case the platform hands them over. */
  readonly header: object;
  /** Parsed where it is JSON. */
  readonly body: unknown;
}

/** A request on its way. */
export interface SentRequest {
  /** Rejects with LoginError `network` or `timeout`. */
  readonly answer: Promise<HttpAnswer>;
  abort(): void;
}

/** Where the client runs: {@link wechat}, {@link uni}, {@link taro} or {@link web}. */
export interface Platform {
  /** Clients of one host share what they know of a login. */
  readonly host: object;
  /** A fresh code of `wx.login`. @throws LoginError `network`, `timeout`, `single_page`. */
  login(): Promise<string>;
  send(request: HttpRequest): SentRequest;
  /** Both may throw. */
  readonly storage: {
    read(key: string): unknown;
    write(key: string, value: string): void;
  };
  /** Calls the listener each time the app comes to the foreground. */
  onShow(listener: () => void): void;
}
