/* Parallel loops in threads of the host's own, made for each. */

#include <pthread.h>
#include <stdint.h>

typedef struct {
  void (*work)(void *);
  void *task;
} job;

static void *run(void *data) {
  job *mine = data;
  mine->work(mine->task);
  return NULL;
}

/** What a host gives as `parallel`. */
static void parallel(void *user, int32_t workers, void (*work)(void *),
                     void *task) {
  pthread_t threads[8];
  job mine = {work, task};
  int32_t started = 0;
  (void)user;
  while (started + 1 < workers && started < 8 &&
         pthread_create(&threads[started], NULL, run, &mine) == 0)
    ++started;
  work(task);
  while (started > 0)
    pthread_join(threads[--started], NULL);
}
