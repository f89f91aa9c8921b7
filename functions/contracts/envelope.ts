/** The body of every refusal and failure, once: the functions send it, and so do API Gateway and WAF for their own refusals. */
export const errorEnvelope = (code: number, msg: string, error: string, requestId: string) => ({
  code,
  msg,
  error,
  request_id: requestId,
});
