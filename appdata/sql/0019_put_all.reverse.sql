DROP FUNCTION dot_puts_all, dot_put_all;
