/** What becomes of things that hold data when the stack, or the thing in it, goes. */
import { RemovalPolicy } from 'aws-cdk-lib';
import type { StageSettings } from '../settings.ts';

/** Kept where the stage protects data. */
export const dataRemovalPolicy = ({ protectData }: Pick<StageSettings, 'protectData'>): RemovalPolicy =>
  protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
