/* Training steps of a sigmoid network, as one writes them in C: forward, mean squared error, backward, update, so many
 * times. Products of matrices are computed in blocks of four rows and two vectors, which the compiler keeps in
 * registers; there is no BLAS, and nothing that reorders sums. And how fast the processor multiplies and adds at most.
 * With SINGLE it is float, else double. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef SINGLE
typedef float real;
typedef int32_t bits;
enum { MANTISSA = 23, BIAS = 127, DEGREE = 7 };
#define LOWEST -87.0f
#define HIGH 0.693359375f
#define LOW -2.12194440e-4f
#else
typedef double real;
typedef int64_t bits;
enum { MANTISSA = 52, BIAS = 1023, DEGREE = 13 };
#define LOWEST -708.0
#define HIGH 0.693147180369123816490
#define LOW 1.90821492927058770002e-10
#endif

#ifdef __AVX512F__
enum { BYTES = 64 };
#else
enum { BYTES = 32 };
#endif
typedef real vector __attribute__((vector_size(BYTES), aligned(sizeof(real)), may_alias));
enum { LANES = BYTES / sizeof(real), ROWS = 4, VECTORS = 2, COLUMNS = VECTORS * LANES };

static const real INVERSE_FACTORIALS[] = {
    1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
    1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0,
};

/* e^x for x <= 0: x = n ln 2 + r, a polynomial of r, and n in the exponent's bits. */
static inline real exp_of_negative(real x) {
    const real magic = (real)1.5 * (real)((bits)1 << MANTISSA);
    x = x < (real)LOWEST ? (real)LOWEST : x;
    real moved = x * (real)1.4426950408889634 + magic;
    real n = moved - magic;
    real r = x - n * (real)HIGH - n * (real)LOW;
    real sum = INVERSE_FACTORIALS[DEGREE];
    for (int k = DEGREE - 1; k >= 0; k--)
        sum = sum * r + INVERSE_FACTORIALS[k];
    bits exponent = (bits)n + BIAS;
    exponent <<= MANTISSA;
    real power;
    memcpy(&power, &exponent, sizeof power);
    return sum * power;
}

static inline real sigmoid(real x) {
    real e = exp_of_negative(x < 0 ? x : -x);
    return (x < 0 ? e : (real)1) / (1 + e);
}

/* out = a b, or if a rate is given out -= rate a b; a[i, p] is at a[i * row + p * column]. */
static void product(int n, int inner, int m, const real *a, int row, int column, const real *b, real *out,
                    const real *rate) {
    for (int i = 0; i < n; i += ROWS) {
        int rows = n - i < ROWS ? n - i : ROWS;
        for (int j = 0; j < m; j += COLUMNS) {
            int columns = m - j < COLUMNS ? m - j : COLUMNS;
            real sums[ROWS][COLUMNS] = {{0}};
            if (rows == ROWS && columns == COLUMNS) {
                vector tile[ROWS][VECTORS] = {{{0}}};
                for (int p = 0; p < inner; p++) {
                    const vector *line = (const vector *)(b + p * m + j);
                    for (int r = 0; r < ROWS; r++)
                        for (int v = 0; v < VECTORS; v++)
                            tile[r][v] += a[(i + r) * row + p * column] * line[v];
                }
                memcpy(sums, tile, sizeof sums);
            } else {
                for (int p = 0; p < inner; p++)
                    for (int r = 0; r < rows; r++)
                        for (int c = 0; c < columns; c++)
                            sums[r][c] += a[(i + r) * row + p * column] * b[p * m + j + c];
            }
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++) {
                    real *to = out + (i + r) * m + j + c;
                    *to = rate ? *to - *rate * sums[r][c] : sums[r][c];
                }
        }
    }
}

/* `work` has room for all activations, two layers' errors, and the largest weight. Returns the last cost. */
real train(int steps, int layers, const int *sizes, int batch, real rate, real **w, real **b, const real *x,
           const real *y, real *work) {
    real cost = 0;
    const real *activations[16];
    int widest = 0;
    for (int k = 0; k <= layers; k++)
        widest = sizes[k] > widest ? sizes[k] : widest;
    for (int step = 0; step < steps; step++) {
        real *free = work;
        activations[0] = x;
        for (int k = 0; k < layers; k++) {
            int n = sizes[k], m = sizes[k + 1];
            product(batch, n, m, activations[k], n, 1, w[k], free, 0);
            for (int i = 0; i < batch; i++)
                for (int j = 0; j < m; j++)
                    free[i * m + j] = sigmoid(free[i * m + j] + b[k][j]);
            activations[k + 1] = free;
            free += batch * m;
        }
        real *delta = free, *back = delta + batch * widest, *turned = back + batch * widest;
        int outputs = batch * sizes[layers];
        cost = 0;
        for (int i = 0; i < outputs; i++) {
            real out = activations[layers][i], error = out - y[i];
            cost += error * error / outputs;
            delta[i] = 2 * error / outputs * out * (1 - out);
        }
        for (int k = layers - 1; k >= 0; k--) {
            int n = sizes[k], m = sizes[k + 1];
            if (k) {
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < m; j++)
                        turned[j * n + i] = w[k][i * m + j];
                product(batch, m, n, delta, m, 1, turned, back, 0);
                for (int i = 0; i < batch * n; i++)
                    back[i] *= activations[k][i] * (1 - activations[k][i]);
            }
            product(n, batch, m, activations[k], 1, n, delta, w[k], &rate);
            for (int i = 0; i < batch; i++)
                for (int j = 0; j < m; j++)
                    b[k][j] -= rate * delta[i * m + j];
            real *spare = delta;
            delta = back;
            back = spare;
        }
    }
    return cost;
}

#define EACH(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11)
#define BEGIN(k) vector sum##k = x[0] * k;
#define TURN(k) sum##k = sum##k * x[0] + x[1];
#define RETURN(k) sum##k = sum##k * x[1] + x[0];
#define ADD(k) x[2] += sum##k;

/* Twelve sums that stay in registers and do not wait for each other, of two vectors of numbers below 1; a third takes
 * what comes out. Returns how many multiplications and additions that were. With the same numbers again and again a
 * processor needs less power, and runs faster, than with those of a product: so it is two in turn. */
int64_t multiply_and_add(int64_t turns, vector *x) {
    EACH(BEGIN)
    for (int64_t turn = 0; turn < turns; turn++) {
        EACH(TURN)
        EACH(RETURN)
    }
    EACH(ADD)
    return turns * 2 * 12 * 2 * LANES;
}
