#include "net/redis/reply.h"
