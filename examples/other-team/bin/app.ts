/** The CDK entry point; `-c loginStage=prod` says which stage of the login service to trust. */
import { App } from 'aws-cdk-lib';
import { OrdersStack } from '../lib/orders-stack.ts';

const app = new App();
new OrdersStack(app, 'Orders', { loginStage: app.node.tryGetContext('loginStage') ?? 'dev' });
