DROP FUNCTION dot_batch, dot_failed_step, dot_apply_steps, dot_plan_steps;
DROP TYPE dot_step;
