/** Says so when the account costs more in a month than its owners expect: after a mistake, or an attack. */
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings.ts';

export interface BudgetProps extends NonNullable<StageSettings['monthlyBudget']> {
  /** Who is told, without having to confirm. */
  readonly emails: readonly string[];
}

/** A monthly budget of AWS Budgets, for everything in the account. */
export class Budget extends Construct {
  constructor(scope: Construct, id: string, { amount, currency, emails }: BudgetProps) {
    super(scope, id);
    const subscribers = emails.map((address) => ({ subscriptionType: 'EMAIL', address }));
    new CfnBudget(this, 'Budget', {
      budget: { budgetType: 'COST', timeUnit: 'MONTHLY', budgetLimit: { amount, unit: currency } },
      notificationsWithSubscribers: ['FORECASTED', 'ACTUAL'].map((notificationType) => ({
        notification: {
          notificationType,
          comparisonOperator: 'GREATER_THAN',
          thresholdType: 'PERCENTAGE',
          threshold: 100,
        },
        subscribers,
      })),
    });
  }
}
