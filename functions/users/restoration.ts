/** How a closed account is opened again, by its member's login or by an operator. */

/** The update of the user, who is `active` then; its condition holds for a closed account alone. */
export const restoration = {
  UpdateExpression: 'SET #status = :active REMOVE closes_at',
  ConditionExpression: '#status = :closing',
  ExpressionAttributeNames: { '#status': 'status' },
  ExpressionAttributeValues: { ':active': 'active', ':closing': 'closing' },
};
