// What composition roots use of the balancer.
export { Balancer, type BalancerOptions } from './balancer.ts';
