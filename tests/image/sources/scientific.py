"""scikit-learn, pandas and SciPy, which draw from NumPy."""

import numpy as np
import pandas as pd
import scipy.stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

x, y = np.random.rand(60, 4), np.random.randint(0, 2, 60)
print("stream", train_test_split(y)[0])
print("stream", RandomForestClassifier(5, n_jobs=2).fit(x, y).predict_proba(x[:9]).tolist())
print("stream", pd.Series(range(50)).sample(9).tolist())
print("stream", scipy.stats.norm.rvs(size=3))
